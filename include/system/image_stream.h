/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criu's images on their way: they leave while criu still writes them, and are complete and checked before
 * anybody reads them.
 *
 * The stream is frames, one after the other, in one direction (numbers little-endian):
 *
 *	u32 kind, u32 length, u64 number, `length` bytes
 *
 *	1 file	bytes: its name; the frames that follow are about it, until another one is named. A file
 *		may be named again
 *	2 data	number: where in the file; bytes: what is there. What is not sent is zero
 *	3 size	number: of the file, which is complete with this, unless it is named again
 *	4 end	number: how many sizes were sent; bytes: a checksum of all frames before
 *	5 zero	number: where in the file; bytes: u64, how much from there on is zero (again)
 *	6 missing  number: where in the file; bytes: u64, how much from there on will come later, and is not to be
 *		used until then. From now on it is a hole; zeros that come are sent as data
 *	7 ready	number: any. What is missing is all known, and the rest may be used; answered by the number
 *	8 packed  number: where in the file; bytes: u32, how long the data is, then that as one zstd frame
 *		(system/image_pack.h). As data, sent where that is faster (system/pack_choice.h)
 *	9 same	number: where in the file; bytes: u64 where in a file of the store, u64 how much, and the name of that
 *		file: there are the same bytes, which are moved here, and zero there from now on
 *	10 reached  number: any; answered by the number: all that was said before is done. Not after `ready`
 *
 * The receiver is the program in a mode of its own, run over there: `vzmigrate --images DIRECTORY [STORE]`. Its
 * status is 0 only when the last frame has said that everything is there. The store is the directory of another
 * stream; whoever says "same" knows that what it means has come there.
 *
 * What is missing can be waited for by somebody over there who uses the files meanwhile (system/memory_store.h):
 * in the file NAME.missing stands what of the file NAME it is, as pairs of u64, where and how much; and a struct
 * image_request that is written to the FIFO IMAGE_WANTED is sent back, so that the sender can send that page next.
 * On the receiver's standard output stand first the answers to `reached`, u64, then that to `ready`, of which there
 * is one in a stream, and from then on nothing but requests.
 *
 * What sends is a process too: criu's images here, the memory of processes in system/memory_stream.h.
 */
#ifndef SYSTEM_IMAGE_STREAM_H
#define SYSTEM_IMAGE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/process.h"
#include "system/connection.h"
#include "system/content_index.h"

enum image_frame_kind {
	IMAGE_FILE = 1,
	IMAGE_DATA,
	IMAGE_SIZE,
	IMAGE_END,
	IMAGE_ZERO,
	IMAGE_MISSING,
	IMAGE_READY,
	IMAGE_PACKED,
	IMAGE_SAME,
	IMAGE_REACHED,
};

struct image_frame {
	uint32_t kind;
	uint32_t length;
	uint64_t number;
};

#define IMAGE_FRAME_SIZE 16
#define IMAGE_DATA_MAX (256 << 10)
#define IMAGE_NAME_MAX 255
/* Far above any image's size: what a number of the stream may not exceed. */
#define IMAGE_SIZE_MAX ((uint64_t)1 << 50)

/* Of the memory of a process: a page that somebody waits for. In this machine's own order in the FIFO, little-endian
 * in the stream. */
struct image_request {
	uint32_t process; /* whose file */
	uint32_t zero;
	uint64_t address; /* where in it */
};

#define IMAGE_WANTED "wanted"
#define IMAGE_MISSING_SUFFIX ".missing"

/* How many bytes went through a stream, and how many they would have been without packed frames. */
struct image_traffic {
	int64_t sent;
	int64_t raw;
};

/* The bytes of a frame's head; the checksum so far, with these bytes. */
void image_frame_pack(const struct image_frame *frame, unsigned char bytes[IMAGE_FRAME_SIZE]);
void image_frame_unpack(struct image_frame *frame, const unsigned char bytes[IMAGE_FRAME_SIZE]);
uint64_t image_checksum(uint64_t sum, const void *bytes, size_t length);

/* The name of a file that a frame has: a plain one, which does not begin with a dot. */
int image_name_take(char name[IMAGE_NAME_MAX + 1], const unsigned char *bytes, size_t length,
		    struct error *err);

/* Sending. Start from IMAGE_STREAM_NONE. */
struct image_stream {
	struct process sender;
	struct remote_process receiver;
	int control;	     /* to the sender */
	int errors;	     /* what either end says of its failure */
	const char *subject; /* what is sent, for messages: "images" */
};

#define IMAGE_STREAM_NONE                                                                          \
	{                                                                                          \
		.sender = PROCESS_NONE, .receiver = REMOTE_NONE, .control = -1, .errors = -1       \
	}

/* What image_send() sends. */
struct image_source {
	const char *directory;
	struct content_index
		*index; /* what of it may be in the store over there already; NULL: nothing is */
};

/* Where the receiver puts it. */
struct image_target {
	const char *directory;
	const char *store; /* NULL: there is none */
};

/* Makes both ends ready: what appears in the source from now on will be in the target over there. */
int image_stream_start(struct image_stream *stream, struct connection *connection,
		       const char *command, const struct image_source *source,
		       const struct image_target *target, struct error *err);

/* The images are written: returns when all of them are there (EXIT_COPY). *traffic gets theirs added. */
int image_stream_finish(struct image_stream *stream, struct image_traffic *traffic,
			struct error *err);

void image_stream_release(struct image_stream *stream);

/*
 * The same for whatever sends frames: send() runs in a process of its own, with its end of `control` and the
 * stream; *traffic is to be what went through that. The process, and what send() has not released, ends with the
 * stream. `packs`: it may send packed frames; not where the connection compresses already.
 */
typedef int image_sender(void *data, int control, int output, bool packs,
			 struct image_traffic *traffic, struct error *err);

struct image_sending {
	const char *subject; /* "images" */
	image_sender *send;
	void *data;
	int *answers; /* where send() finds the descriptor on which the receiver answers; NULL: it wants none */
};

int image_stream_open(struct image_stream *stream, struct connection *connection,
		      const char *command, const struct image_sending *sending,
		      const struct image_target *target, struct error *err);

/* One end has failed: words that. Always returns -1 (EXIT_COPY). */
int image_stream_failure(const struct image_stream *stream, struct error *err);

/* An image_sender, of a struct image_source: follows the directory until `control` ends. */
image_sender image_send;

/* The receiver's work. `output`: for its answers; -1: nobody expects any. */
int image_receive(const struct image_target *target, int input, int output, struct error *err);

#endif
