/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private anonymous mappings of a process: what only it has, and no file. They are those that criu calls
 * lazy, but for the locked ones.
 */
#ifndef SYSTEM_MAPPINGS_H
#define SYSTEM_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct mapping {
	uint64_t start;
	uint64_t end;
};

/* Sorted, none overlaps another. `{ 0 }` is empty. */
struct mappings {
	struct mapping *items;
	size_t count;
};

/* A process that has ended has none; its zombie neither. */
int mappings_read(pid_t pid, struct mappings *mappings, struct error *err);

/* Those of all mappings that are locked (mlock). This is slow where there is much memory. */
void mappings_read_locked(pid_t pid, struct mappings *mappings);

void mappings_add(struct mappings *mappings, uint64_t start, uint64_t end);

/* Is all of this mapping in them? */
bool mappings_cover(const struct mappings *mappings, const struct mapping *mapping);

void mappings_release(struct mappings *mappings);

#endif
