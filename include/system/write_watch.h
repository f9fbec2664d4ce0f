/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Noticing writes to another process's memory by userfaultfd(2), the asynchronous way (kernel 6.7): a page
 * is write-protected (system/page_scan.h), and the first write takes that away, without anybody being asked.
 * When the last copy of the descriptor is closed, all of it is gone.
 *
 * A process can have a userfaultfd only for itself: it is made to ask for one (system/inject.h), and does not
 * keep it. And a mapping must be watched as a whole: where it has become another one by then it would be split,
 * and mremap(), which takes only one, would fail in a program that does nothing wrong. So the process is held while
 * its mappings are read and registered. (What is left: the kernel does not join a new mapping with one beside it that
 * is watched. Who maps something into the middle of its own memory, or behind it, and then moves all of it by one
 * mremap() relies on the joining; malloc() does not.)
 */
#ifndef SYSTEM_WRITE_WATCH_H
#define SYSTEM_WRITE_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/process.h"

/* Can this be done on this kernel? */
bool write_watch_is_possible(void);

/* A process all of whose threads are stopped. Start from WRITE_HOLD_NONE. */
struct write_hold {
	struct process helper; /* it holds them, until it or this process ends */
	int socket;
};

#define WRITE_HOLD_NONE                                                                            \
	{                                                                                          \
		.helper = PROCESS_NONE, .socket = -1                                               \
	}

/* *fault is its userfaultfd, ready for use; -1: it is made to ask for one. Let it go, also after a failure, and soon. */
int write_watch_hold(struct write_hold *hold, pid_t pid, int *fault, struct error *err);

/* Returns when it goes on; after 10 s in any case, then the helper lets it go as soon as it can. */
void write_watch_let_go(struct write_hold *hold);

/*
 * From now on pages of this mapping, of a process that is held, can be protected. Returns 0, or -1 with errno:
 * EBUSY: another userfaultfd has it; EINVAL: nothing is there, or the kernel may drop its pages (MAP_DROPPABLE);
 * ENOMEM: the process has other memory by now, or none.
 */
int write_watch_register(int fault, uint64_t start, uint64_t end);

/* None of its pages is protected, whatever was there before. Returns 0, or -1 with errno. */
int write_watch_reset(int fault, uint64_t start, uint64_t end);

#endif
