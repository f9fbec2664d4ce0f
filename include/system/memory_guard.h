/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory is given (system/memory_fill.h) by a worker, which this process guards. Both have every
 * userfaultfd: when the worker dies, whoever needs a page that is missing waits for it, and does not find zeros.
 * The guard then ends the processes, and only after that lets go. When the guard dies, the worker goes on.
 */
#ifndef SYSTEM_MEMORY_GUARD_H
#define SYSTEM_MEMORY_GUARD_H

#include "base/error.h"
#include "system/memory_fill.h"

struct memory_guard {
	struct memory_fill fill; /* without `restored` */
	int record;		 /* where how it goes is told (system/memory_record.h) */
	/* The processes can never get their memory: ends them, as far as that is possible just now. Called
	 * again until they are gone. */
	void (*end)(void *data); /* data: fill's */
};

/* Works until every process has its memory or has ended, and records it. SIGTERM, SIGINT and SIGHUP are ignored.
 * Wants a process of its own, as memory_fill() does. Returns an exit status: EXIT_OK only when the memory
 * is all there. */
int memory_guard(struct memory_guard *guard);

#endif
