/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of images, as a receiver puts them into files: such as have come, and such as are here already, in the
 * store: that is the directory of another stream (system/image_stream.h, "same").
 */
#ifndef SYSTEM_IMAGE_STORE_H
#define SYSTEM_IMAGE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "system/image_stream.h"

/* Start from IMAGE_STORE_NONE. */
struct image_store {
	int directory;
	int file; /* the one that was taken from last */
	char name[IMAGE_NAME_MAX + 1];
};

#define IMAGE_STORE_NONE                                                                           \
	{                                                                                          \
		.directory = -1, .file = -1                                                        \
	}

int image_store_open(struct image_store *store, const char *directory, struct error *err);

/* Moves what a frame `same` of these bytes says into a file, to `at`. `bytes` is the receiver's buffer, of
 * IMAGE_DATA_MAX bytes, and is not what it was when this returns. */
int image_store_move(struct image_store *store, unsigned char *bytes, size_t length, int into,
		     uint64_t at, struct error *err);

int image_store_write(int into, const unsigned char *bytes, size_t length, uint64_t at,
		      struct error *err);

void image_store_release(struct image_store *store);

#endif
