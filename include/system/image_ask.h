/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sender's side of a question to the receiver of images (system/image_stream.h, "reached" and "ready").
 */
#ifndef SYSTEM_IMAGE_ASK_H
#define SYSTEM_IMAGE_ASK_H

#include <stdint.h>

#include "base/error.h"
#include "system/image_writer.h"

/* Sends IMAGE_REACHED or IMAGE_READY, and returns when the number comes back on `answers`. */
int image_ask(struct image_writer *writer, enum image_frame_kind kind, uint64_t number, int answers,
	      struct error *err);

#endif
