/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data of an image stream, compressed and back: at most IMAGE_DATA_MAX bytes become one zstd frame, which knows
 * how many they were. What comes from a peer needs no more memory than that, whatever it says.
 *
 * Level -1 of zstd: of memory as processes have it (tests were made with Python's) it leaves 14% where level 1 leaves
 * 13.5%, in 5/6 of the time; of single pages, the usual piece of a late round, in 3/5, and of half-empty ones in 2/5.
 * What cannot be compressed it passes over, at 10 GB/s.
 */
#ifndef SYSTEM_IMAGE_PACK_H
#define SYSTEM_IMAGE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct image_packer;
struct image_unpacker;

struct image_packer *image_packer_new(struct error *err);
void image_packer_free(struct image_packer **packer);

/* What a packed frame of the stream contains: returns how long that is, *packed, which is valid until the next call.
 * 0: it is no shorter than the `length` bytes themselves. */
size_t image_pack(struct image_packer *packer, const void *bytes, size_t length,
		  const unsigned char **packed);

struct image_unpacker *image_unpacker_new(struct error *err);
void image_unpacker_free(struct image_unpacker **unpacker);

/* The other way round: *bytes are valid until the next call. */
int image_unpack(struct image_unpacker *unpacker, const unsigned char *packed, size_t size,
		 const unsigned char **bytes, size_t *length, struct error *err);

#endif
