/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending, ahead of the dump, the memory that criu writes into its own images (system/content_sources.h), into files
 * of their own in the store over there: so its images need only say where their pages are
 * (system/image_piece.h). Each round reads and compares all of it: whoever writes to shared memory, nobody notices it.
 */
#ifndef SYSTEM_CONTENT_SEND_H
#define SYSTEM_CONTENT_SEND_H

#include <stdint.h>

#include "base/error.h"
#include "base/table.h"
#include "system/content_index.h"
#include "system/memory_processes.h"
#include "system/pace.h"
#include "system/page_send.h"

/* Released by the end of the sender's process (system/memory_send.h). */
struct content_sender {
	struct content_index *index; /* borrowed; NULL: nothing of it is sent */
	struct table objects;	     /* what an object is -> its number */
	struct table blocks;	     /* number and part of an object -> block + 1 */
	uint32_t round;
	uint64_t questions; /* that the receiver was asked */
};

/* Sends what the destination does not have, and returns when it has it. *resident gets how many bytes of such memory
 * there are. `answers`: of the receiver (system/image_ask.h). */
int content_send_round(struct content_sender *content, struct page_sender *sender,
		       const struct memory_processes *processes, const struct pace *pace,
		       int answers, int64_t *resident, struct error *err);

#endif
