/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending a piece of an image with as few bytes as will do: zeros are left out, and of pages that the destination
 * has it is only said where they are there.
 */
#ifndef SYSTEM_IMAGE_PIECE_H
#define SYSTEM_IMAGE_PIECE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "system/content_index.h"
#include "system/image_writer.h"

/* `at`: where in the image. `bytes` are aligned for words. `index`: NULL, or one that may still be empty. */
int image_piece_send(struct image_writer *writer, struct content_index *index, uint64_t at,
		     const unsigned char *bytes, size_t length, struct error *err);

#endif
