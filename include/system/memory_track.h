/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of a running process have changed since they were looked at the last time.
 *
 * What counts as unchanged is certain; anything else counts as changed. New and moved mappings, another
 * program (exec), another process, and all that the kernel cannot follow are changed. But a page can be
 * written by a device, or by the kernel for a system call that began before the scan, without being noticed
 * (direct input, while the page is pinned): whoever reads a page sooner than TRACK_SETTLE_MS after it was
 * found changed, reads it once more later.
 */
#ifndef SYSTEM_MEMORY_TRACK_H
#define SYSTEM_MEMORY_TRACK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "system/mappings.h"
#include "system/page_scan.h"

enum track_method {
	TRACK_NOTHING, /* every page counts as changed */
	/* Each round everything counts as changed, but the last scan tells: what was written after
	 * the bits were cleared. (Between reading and clearing them nothing could be noticed.) */
	TRACK_SOFT_DIRTY,
	TRACK_WRITES, /* userfaultfd */
};

/* Direct input of a disk that is busy takes this long, hardly ever longer. */
#define TRACK_SETTLE_MS 300

/* The best that this kernel has; and in words. */
enum track_method memory_track_probe(void);
const char *memory_track_words(enum track_method method);

/* Start from MEMORY_TRACK_NONE with method and pid. */
struct memory_track {
	enum track_method method;
	pid_t pid;
	bool shared;  /* another process has the same memory: nothing new can be followed */
	int fault;    /* the process's userfaultfd; -1 */
	int failures; /* in a row: it could not be held */
	struct mappings registered; /* where writes are noticed */
	struct mappings refused;    /* where they cannot be */
	struct mappings locked;	    /* what criu dumps itself: it is left out */
};

#define MEMORY_TRACK_NONE                                                                          \
	{                                                                                          \
		.fault = -1                                                                        \
	}

/* Visits all pages that are there. From now on changes are noticed: read the pages after it. A process that
 * has ended has no pages. */
int memory_track_scan(struct memory_track *track, page_visitor *visit, void *data,
		      struct error *err);

/* For the last time, in a process that stands still: visits all pages that have changed; of the others perhaps
 * some. */
int memory_track_scan_last(struct memory_track *track, page_visitor *visit, void *data,
			   struct error *err);

/* Leaves the process as it was. */
void memory_track_release(struct memory_track *track);

#endif
