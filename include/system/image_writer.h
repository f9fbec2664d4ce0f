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
#include "system/image_pack.h"
#include "system/image_stream.h"
#include "system/pack_choice.h"

/* Starts from zeros and `output`, which is borrowed; with choice.allowed it packs data where that is faster. */
struct image_writer {
	int output;
	uint64_t sum;
	uint64_t sizes;		      /* how many were sent */
	struct image_traffic traffic; /* bytes, heads included */
	struct pack_choice choice;
	struct image_packer *packer; /* NULL before anything was packed */
	int64_t ended;		     /* the last write of data, wait_clock_ns(); 0: it is no use */
};

int image_write(struct image_writer *writer, enum image_frame_kind kind, uint64_t number,
		const void *bytes, size_t length, struct error *err);

/* IMAGE_ZERO or IMAGE_MISSING; and "end": nothing may follow it. */
int image_write_range(struct image_writer *writer, enum image_frame_kind kind, uint64_t at,
		      uint64_t length, struct error *err);
int image_write_end(struct image_writer *writer, struct error *err);

/* Somebody waits before the next write, but not for the pipe: that says nothing of how fast anything is. */
void image_writer_pause(struct image_writer *writer);

void image_writer_release(struct image_writer *writer);

#endif
