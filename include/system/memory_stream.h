/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a container's processes on its way: it is sent while they run, in rounds, then what has
 * changed since the last round, once they stand still. criu dumps everything else (its option lazy-pages); what
 * is said here to be memory are the pages that its images name and do not have.
 *
 *	start, round…, (freeze), last, (dump), finish
 *
 * Over there it comes into a directory of its own, a file for each process: system/page_send.h, received as
 * images are (system/image_stream.h). Nothing of it may be used before finish() has succeeded.
 *
 * All that is done by a child, the sender. Wherever it ends, the container's processes are as they were before:
 * what notices their writes ends with it.
 */
#ifndef SYSTEM_MEMORY_STREAM_H
#define SYSTEM_MEMORY_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "system/connection.h"
#include "system/image_stream.h"
#include "system/memory_track.h"

struct memory_stream {
	struct image_stream ends;
};

#define MEMORY_STREAM_NONE                                                                         \
	{                                                                                          \
		.ends = IMAGE_STREAM_NONE                                                          \
	}

/* What a round has found and done; bytes. */
struct memory_round {
	int64_t processes; /* their number */
	int64_t resident;  /* what the processes have for themselves, now */
	int64_t dumped; /* what else there is, which criu dumps: shared, and locked (system/content_send.h) */
	int64_t changed; /* of that, changed since the round before, or not known not to be */
	int64_t sent;	 /* what was different from what the destination had */
	int64_t raw;	 /* the same, before some of it was packed */
	int64_t open; /* what the next one has to look at even when nothing changes any more: it was
			       * looked at too soon (TRACK_SETTLE_MS) */
	int64_t untracked;    /* processes of which writes cannot be noticed */
	int64_t milliseconds; /* from the beginning of the scan; the waiting before it is not in it */
};

struct memory_source {
	pid_t init;	   /* the first process of the container */
	int64_t bandwidth; /* bytes a second, of rounds only; 0: no limit */
	/* Where is noted what rounds have sent of the memory that criu dumps; NULL: they leave it out. For whoever
	 * sends criu's images: complete when last() has returned. */
	struct content_index *index;
};

/* Starts the receiver (`command --images target`) and the sender. */
int memory_stream_start(struct memory_stream *stream, struct connection *connection,
			const char *command, const struct memory_source *source, const char *target,
			struct error *err);

/* Sends what has changed since the round before; in the first, all. Begins no sooner than TRACK_SETTLE_MS
 * after the one before did. EXIT_COPY, as all here. */
int memory_stream_round(struct memory_stream *stream, struct memory_round *round,
			struct error *err);

/* The processes are frozen: finds what has changed, and returns when that is known. Sending goes on
 * meanwhile: *last says how much there is to look at (`changed` and what was `open`), and nothing of `sent`.
 * They must not run again before finish(). `later`: nothing is sent before follow(). */
int memory_stream_last(struct memory_stream *stream, bool later, struct memory_round *last,
		       struct error *err);

/* The dump is complete, its images are in this directory: returns when the destination has all memory that
 * they lack. *traffic gets that of the whole stream added. */
int memory_stream_finish(struct memory_stream *stream, const char *images,
			 struct image_traffic *traffic, struct error *err);

/* Instead of finish(), for processes that are to run over there at once: returns when the destination knows which
 * pages will follow, *missing bytes; they do from now on. Then await() returns when it has them all, as
 * finish() does; until then the processes must be where they are. */
int memory_stream_follow(struct memory_stream *stream, const char *images, int64_t *missing,
			 struct error *err);
int memory_stream_await(struct memory_stream *stream, struct image_traffic *traffic,
			struct error *err);

void memory_stream_release(struct memory_stream *stream);

#endif
