/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what is sent next is compressed before: it is where that is sooner over there. Pure: it is told what was
 * done and how long that took, and looks at no clock itself. Times are nanoseconds of one clock.
 *
 * Who sends makes pieces, packs them or not, and writes them into a pipe, one after the other; the link takes
 * them out of the pipe at the same time. So a byte takes as long as the slower of the two: raw max(made, link),
 * packed max(made + packed, ratio * link). All of these change, so each is what it was for the last few MiB:
 *
 *  - made: from the end of a write to the next piece; with the writes that did not have to wait.
 *  - link: between two writes that had to wait the pipe is full, so what went in has gone out at the other end.
 *    As long as no write has to wait the link is fast enough, and nothing is packed.
 *  - packed, ratio: of what is packed, in the processor's time: one piece that another process has interrupted
 *    would count for many. While nothing is, one piece in PACK_TRIAL_BYTES is tried, but only where
 *    the link is what is waited for: then trying costs nothing either, as the link goes on meanwhile.
 *
 * Where packing makes less than the link could take, it is not seen any more how fast that is: now and then pieces
 * go raw until the pipe is full again (a probe), when that costs less than a tenth of what packing has since.
 */
#ifndef SYSTEM_PACK_CHOICE_H
#define SYSTEM_PACK_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All that is between a sender and the link: the socket to the carrier (208 KiB), a piece in there, ssh's window
 * (OpenSSH's: 2 MiB), a part of it also in the kernel. So much can go in before a slow link is felt. */
#define PACK_PIPE_BYTES ((double)(4 << 20))

/* What is known is of so many of the last bytes. */
#define PACK_WINDOW_LINK ((double)(4 << 20))
#define PACK_WINDOW_CONTENT ((double)(1 << 20))

/* While pieces go raw, one in so many bytes is packed, to see what that gains: one in 16 of the largest; fewer,
 * where that would take more than one part in so many of the time. */
#define PACK_TRIAL_BYTES ((double)(4 << 20))
#define PACK_TRIAL_SHARE 100

/* What is gained must be at least a tenth: measurements are not better. */
#define PACK_GAIN 0.9

/* A probe may cost one part in so many of the time that was spent on packing since the last one. */
#define PACK_PROBE_SHARE 10

/* What is smaller says little, and gains nothing. */
#define PACK_LEAST_BYTES 512

struct pack_rate {
	double bytes;
	double ns;
};

/* { .allowed = true } knows nothing yet; { 0 } never packs. */
struct pack_choice {
	bool allowed;
	double limit; /* bytes a second that are sent at most: as if the link had no more; 0: none */
	struct pack_rate made;
	struct pack_rate link;
	struct pack_rate packing; /* bytes before */
	double packed;		  /* and after */
	double untried;		  /* raw bytes since the last that were packed */
	double spent;		  /* ns of packing since the link was last felt */
	double probing;		  /* bytes that still go raw to feel it */
	/* Since the last write that had to wait: */
	bool full; /* there was one, so the pipe was full */
	int64_t since;
	double written;
	double waited;
	bool mixed;    /* something of it was packed */
	double steady; /* bytes since the last pause */
};

/* Shall the next piece be packed? One that does not become smaller is sent as it is. */
bool pack_choice_next(struct pack_choice *choice, size_t length);

/* A piece was made in this time. */
void pack_choice_made(struct pack_choice *choice, size_t length, int64_t ns);

/* One was packed, in so much of the processor's time; also when it is sent raw. */
void pack_choice_packed(struct pack_choice *choice, size_t raw, size_t packed, int64_t ns);

/* A piece was written: `length` bytes, from `began` to `ended`. Had it to wait for room in the pipe? */
void pack_choice_written(struct pack_choice *choice, size_t length, bool packed, bool waited,
			 int64_t began, int64_t ended);

/* Nothing was to be sent for a while: the pipe may have run empty. */
void pack_choice_pause(struct pack_choice *choice);

#endif
