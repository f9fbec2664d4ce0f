/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking at pages of another process, and sending those of which the destination has something else, as
 * frames of an image stream (system/image_stream.h): a file for each process, named by its pid inside the
 * container, in which a byte is where it is in memory.
 */
#ifndef SYSTEM_PAGE_SEND_H
#define SYSTEM_PAGE_SEND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "system/image_writer.h"
#include "system/page_hash.h"
#include "system/sent_pages.h"

/* The longest name of a file that pages are sent into, with its end. */
#define PAGE_FILE_SIZE 24

/* Starts from zeros and the writer's output. Released by the end of the sender's process (system/memory_send.h). */
struct page_sender {
	struct image_writer writer;
	struct page_hash_key key;
	unsigned char *buffer;	      /* of one block */
	char current[PAGE_FILE_SIZE]; /* what file the receiver takes frames to be of */
	bool follows; /* what is sent now is missing over there: zeros are data, too */
};

int page_sender_prepare(struct page_sender *sender, struct error *err);

/* Says of these pages from `base` on, in the file of that name, what they are: IMAGE_ZERO, IMAGE_MISSING. */
int page_send_ranges(struct page_sender *sender, const char *name, enum image_frame_kind kind,
		     uint64_t base, uint64_t pages, struct error *err);

/* Sends these pages from `base` on, which are in the buffer at their places. */
int page_send_data(struct page_sender *sender, const char *name, uint64_t base, uint64_t pages,
		   struct error *err);

/* These pages of a block are missing over there until they are sent. */
int page_send_missing(struct page_sender *sender, pid_t inside, const struct page_block *block,
		      uint64_t pages, struct error *err);

/* The file of a process has this size; 0: it has nothing (any more). */
int page_send_size(struct page_sender *sender, pid_t inside, uint64_t size, struct error *err);

/* These pages of a block are zero from now on: those that the destination has data of are sent. */
int page_send_zeros(struct page_sender *sender, pid_t inside, const struct page_block *block,
		    uint64_t pages, struct error *err);

/*
 * Reads what is open in a block, and sends what the destination does not have like this. Pages that cannot be
 * read (they have gone since) stay open, and unknown. `settled`: nothing that was under way when the pages were
 * found changed can change them any more.
 */
int page_send_block(struct page_sender *sender, pid_t pid, pid_t inside, struct page_block *block,
		    bool settled, struct error *err);

#endif
