/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of one restored process while it is not all there: what is missing, what the process does with
 * its mappings meanwhile, who waits for which page, and giving it all.
 *
 * What the process has is right at every moment: a page that is not missing is either there or zero.
 */
#ifndef SYSTEM_LAZY_MEMORY_H
#define SYSTEM_LAZY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "system/lazy_ranges.h"
#include "system/memory_store.h"

/* What was given, for whoever wants to know. */
struct lazy_count {
	uint64_t bytes;	 /* in all, without zeros */
	uint64_t faults; /* how often somebody waited for a page */
};

/* A page that somebody waits for. */
struct lazy_fault {
	uint64_t address;
	int64_t asked; /* when whoever sends was told; 0: never */
};

struct lazy_memory {
	struct lazy_memory *next; /* for lists of them */
	struct lazy_count *count; /* borrowed */
	pid_t pid;   /* in the container, for messages; of a child: that of who forked it */
	bool forked; /* after the restore: it may end soon, and shares its store */
	bool gone;   /* the process has no such memory any more */
	int fd;	     /* its userfaultfd, owned */
	struct memory_store *store;
	struct lazy_ranges missing;
	uint64_t cursor; /* where giving without being asked goes on */
	struct lazy_fault *faults;
	size_t fault_count;
	size_t fault_capacity;
};

/*
 * Takes a userfaultfd of the process with this pid. What it lacks is what criu's image says is LAZY,
 * pagemap-PID.img in `images`; the content is in the store in `memory`. To be released; NULL on failure, and then
 * the descriptor is still open: closing it would make zeros of what is missing.
 */
struct lazy_memory *lazy_memory_open(int fd, pid_t pid, const char *images, const char *memory,
				     struct lazy_count *count, struct error *err);

/* Reads what the process reports, so much of it at a time that others get their turn. Children that it has
 * forked are put in front of the list *children. */
int lazy_memory_listen(struct lazy_memory *memory, struct lazy_memory **children,
		       struct error *err);

/* Gives the pages that somebody waits for. Some may have to wait on: fault_count tells. */
int lazy_memory_answer(struct lazy_memory *memory, struct error *err);

/* Gives a little of the rest, for less than a millisecond. Returns 1; 0 when that was not possible
 * just now. */
int lazy_memory_fill(struct lazy_memory *memory, struct error *err);

/* -1 when some of it will never come. */
int lazy_memory_check_rest(const struct lazy_memory *memory, struct error *err);

/* Looks whether the process still has this memory, and sets `gone`. */
int lazy_memory_look(struct lazy_memory *memory, struct error *err);

/* Closes the descriptor: from now on the kernel takes all that is missing for zero. */
void lazy_memory_release(struct lazy_memory *memory);

#endif
