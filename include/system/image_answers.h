/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the receiver of images says to their sender (system/image_stream.h): how far it is, that it
 * knows what is missing, and what of it somebody waits for, as that is written to a FIFO beside the images.
 */
#ifndef SYSTEM_IMAGE_ANSWERS_H
#define SYSTEM_IMAGE_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* Start from IMAGE_ANSWERS_NONE. */
struct image_answers {
	int output;	  /* borrowed */
	int wanted;	  /* the FIFO; -1 before it is made */
	struct text left; /* what could not be written yet */
};

#define IMAGE_ANSWERS_NONE                                                                         \
	{                                                                                          \
		.output = -1, .wanted = -1                                                         \
	}

/* Makes the FIFO in this directory, and then answers. Nobody waits for anything before. */
int image_answers_begin(struct image_answers *answers, int directory, uint64_t number,
			struct error *err);

/* Answers, before that. */
int image_answers_add(struct image_answers *answers, uint64_t number, struct error *err);

/* Waits until there is input, at most timeout_ms, and passes on what is wanted meanwhile. Returns 1; 0 when the
 * time is up; -1. */
int image_answers_wait(struct image_answers *answers, int input, int timeout_ms, struct error *err);

void image_answers_release(struct image_answers *answers);

#endif
