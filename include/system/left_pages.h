/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large memory that criu leaves to us, and need not look at. With its option lazy-pages criu still lists
 * every page that it leaves out, and has the process put each into a pipe that nobody reads: 70 ms for each GiB of
 * the stop. In criu's process the library `criu-pages.so` (src/criu_pages.c) answers the question for them: there
 * are none. What there is, asked of the same kernel at the same moment, it writes down; and the images get
 * it from there, as if criu had said it. Nor does it let criu copy the room that it has for that list.
 *
 * Where the library cannot be loaded, or anything at all is not as it should be, criu does everything itself.
 *
 * A record is a file, named by the pid of a process on this node: struct left_pages, in order.
 */
#ifndef SYSTEM_LEFT_PAGES_H
#define SYSTEM_LEFT_PAGES_H

#include <stdint.h>

#include "base/error.h"

/* Pages that are there, from `start` to before `end`. */
struct left_pages {
	uint64_t start;
	uint64_t end;
};

/* In criu's environment: the directory of the records. */
#define LEFT_PAGES_VARIABLE "VZMIGRATE_LEFT_PAGES"

/* The library, beside the program: ../lib/vzmigrate from where that is. NULL: it is not there. The caller frees. */
char *left_pages_library(void);

/* In the process that is about to become criu: it will find the library, and write its records there. */
void left_pages_load(const char *library, const char *records);

/* criu has dumped: its pagemap-*.img of the processes of which there are records get, as lazy, the pages that are in
 * them. `init`: the first process of the container, frozen, as all are. *left: how many bytes. */
int left_pages_add(const char *records, pid_t init, const char *images, int64_t *left,
		   struct error *err);

#endif
