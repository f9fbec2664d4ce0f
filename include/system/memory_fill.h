/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving the processes of a container, which criu restores without their memory, that memory: the place of
 * `criu lazy-pages` taken by ourselves. Pages that somebody waits for go first; from the moment that the
 * restore is finished the rest follows, until nothing is missing.
 */
#ifndef SYSTEM_MEMORY_FILL_H
#define SYSTEM_MEMORY_FILL_H

#include "base/error.h"
#include "system/lazy_memory.h"

struct memory_fill {
	int listener;	    /* where criu will connect (system/lazy_socket.h); taken */
	const char *images; /* with criu's pagemap-PID.img */
	const char *memory; /* with a store for each process (system/memory_store.h) */
	/* The restore is finished: the processes may run. True before criu goes on. Not NULL. */
	bool *restored;
	/* criu will hand over nothing more: it has finished, or failed. May be called again. */
	void (*criu_is_done)(void *data);
	void *data;
};

struct memory_filled {
	bool given_up; /* criu ended before the restore was finished, and so did its processes */
	struct lazy_count count;
	int64_t milliseconds; /* from the end of the restore until all was there */
};

/*
 * Works until all processes have their memory or have ended. Wants a process of its own, and leaves descriptors
 * open, which end with it: on success nothing is missing any more; on failure what is missing is made zero by
 * whoever closes the last one of a process, so somebody must keep them (system/memory_guard.h).
 */
int memory_fill(const struct memory_fill *order, struct memory_filled *filled, struct error *err);

#endif
