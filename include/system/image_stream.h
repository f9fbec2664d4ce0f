/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criu's images on their way: they leave while criu still writes them, and are complete and checked before
 * anybody reads them.
 *
 * The stream is frames, one after the other, in one direction (numbers little-endian):
 *
 *	u32 kind, u32 length, u64 number, `length` bytes
 *
 *	1 file	bytes: its name; the frames that follow are about it
 *	2 data	number: where in the file; bytes: what is there. What is not sent is zero
 *	3 size	number: of the file, which is complete with this
 *	4 end	number: how many files; bytes: a checksum of all frames before
 *
 * The receiver is the program in a mode of its own, run over there: `vzmigrate --images DIRECTORY`. Its
 * status is 0 only when the last frame has said that everything is there.
 */
#ifndef SYSTEM_IMAGE_STREAM_H
#define SYSTEM_IMAGE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/process.h"
#include "system/connection.h"

enum image_frame_kind { IMAGE_FILE = 1, IMAGE_DATA, IMAGE_SIZE, IMAGE_END };

struct image_frame {
	uint32_t kind;
	uint32_t length;
	uint64_t number;
};

#define IMAGE_FRAME_SIZE 16
#define IMAGE_DATA_MAX (256 << 10)
#define IMAGE_NAME_MAX 255

/* The bytes of a frame's head; the checksum so far, with these bytes. */
void image_frame_pack(const struct image_frame *frame, unsigned char bytes[IMAGE_FRAME_SIZE]);
void image_frame_unpack(struct image_frame *frame, const unsigned char bytes[IMAGE_FRAME_SIZE]);
uint64_t image_checksum(uint64_t sum, const void *bytes, size_t length);

/* Sending. Start from IMAGE_STREAM_NONE. */
struct image_stream {
	struct process sender;
	struct remote_process receiver;
	int control; /* to the sender: its end says that the images are complete */
	int errors;  /* what the receiver says */
};

#define IMAGE_STREAM_NONE                                                                          \
	{                                                                                          \
		.sender = PROCESS_NONE, .receiver = REMOTE_NONE, .control = -1, .errors = -1       \
	}

/* Makes both ends ready: what appears in `source` from now on will be in `target` over there. */
int image_stream_start(struct image_stream *stream, struct connection *connection,
		       const char *command, const char *source, const char *target,
		       struct error *err);

/* The images are written: returns when all of them are there (EXIT_COPY). *sent gets the bytes added. */
int image_stream_finish(struct image_stream *stream, int64_t *sent, struct error *err);

void image_stream_release(struct image_stream *stream);

/* The sender's work: follows the directory until `control` ends, writes to `output`; *sent: how many bytes. */
int image_send(const char *directory, int control, int output, int64_t *sent, struct error *err);

/* The receiver's work. */
int image_receive(const char *directory, int input, struct error *err);

#endif
