/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the frames of an image stream (system/image_stream.h), with what their last one must say of all
 * of them. Writing blocks; the writer is a process that has nothing else to do.
 */
#ifndef SYSTEM_IMAGE_WRITER_H
#define SYSTEM_IMAGE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "system/image_stream.h"

/* Starts from zeros and `output`, which is borrowed. */
struct image_writer {
	int output;
	uint64_t sum;
	uint64_t sizes; /* how many were sent */
	int64_t sent;	/* bytes, heads included */
};

int image_write(struct image_writer *writer, enum image_frame_kind kind, uint64_t number,
		const void *bytes, size_t length, struct error *err);

/* IMAGE_ZERO or IMAGE_MISSING; and "end": nothing may follow it. */
int image_write_range(struct image_writer *writer, enum image_frame_kind kind, uint64_t at,
		      uint64_t length, struct error *err);
int image_write_end(struct image_writer *writer, struct error *err);

#endif
