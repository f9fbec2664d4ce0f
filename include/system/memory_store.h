/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that has arrived for one process, until it is given to it: a sparse file on a tmpfs whose byte
 * at offset X is the byte at the process's address X. Pages that were zero are holes. What has been given
 * away is punched out, so that no page is there twice for long.
 *
 * Some of it may still be on its way (system/image_stream.h, `missing`): as long as that is a hole it has not come.
 */
#ifndef SYSTEM_MEMORY_STORE_H
#define SYSTEM_MEMORY_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "system/lazy_ranges.h"

struct memory_store {
	pid_t pid;
	int fd;
	char *wanted_path;	    /* the FIFO for what somebody waits for */
	int wanted;		    /* -1 as long as it is not open */
	struct lazy_ranges awaited; /* what was still to come when the store was opened */
	unsigned int users; /* how many processes still get memory from it: forked ones share it */
};

enum memory_store_kind {
	STORE_ZERO,    /* it is zero */
	STORE_DATA,    /* it is here */
	STORE_AWAITED, /* it has not come yet */
};

/* Opens the file that is named by the process's pid inside the container. NULL on failure. */
struct memory_store *memory_store_open(const char *directory, pid_t pid, struct error *err);

/* One more user, which must release it as well. */
struct memory_store *memory_store_share(struct memory_store *store);

/* What there is at [offset, offset + length): returns a kind, and in *found how many bytes of it, at
 * least one page, of data at most `most`; -1 on failure. All in whole pages. */
int memory_store_look(const struct memory_store *store, uint64_t offset, uint64_t length,
		      uint64_t most, uint64_t *found, struct error *err);

/* Somebody waits for the page at this offset, which is awaited. False when that could not be said just now. */
bool memory_store_want(struct memory_store *store, uint64_t offset);

/* Has a page not come, and will not, since whoever received them has ended? */
bool memory_store_is_lost(const struct memory_store *store, uint64_t offset);

/* STORE_DATA made readable; NULL on failure. To be given back by memory_store_unmap(). */
const void *memory_store_map(const struct memory_store *store, uint64_t offset, uint64_t length,
			     struct error *err);
void memory_store_unmap(const void *bytes, uint64_t length);

/* A process has got this. Where it was the only one that could want it, the memory is free. */
void memory_store_forget(const struct memory_store *store, uint64_t offset, uint64_t length);

/* A user less; with the last one all that is left goes. Sets *store to NULL, which is none. */
void memory_store_release(struct memory_store **store);

#endif
