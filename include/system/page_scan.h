/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of its mappings a process has, and which of them were written: what the kernel tells in
 * /proc/PID/pagemap (a descriptor of which everything here takes).
 *
 * A page that is in memory or swapped out is there, a guard is not. Neither is the kernel's page of zeros,
 * which a process has where it has read, but not written, for the first time (again).
 */
#ifndef SYSTEM_PAGE_SCAN_H
#define SYSTEM_PAGE_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum page_scan_kind {
	PAGE_SCAN_PRESENT, /* all that are there count as written; and zeros */
	/* All that are there, and those that were written since they were protected the last time
	 * (system/write_watch.h); they are protected now. EPERM: some page of the range can be
	 * written without being noticed; what was visited before means nothing then. */
	PAGE_SCAN_PROTECT,
	/* Only what was written since then, and zeros: this is faster. EPERM as above. */
	PAGE_SCAN_WRITTEN,
	/* All that are there, those that were written since the soft-dirty bits were cleared, and zeros. */
	PAGE_SCAN_SOFT_DIRTY,
};

enum page_state {
	PAGE_SAME,
	PAGE_WRITTEN,
	PAGE_ZERO, /* the kernel's */
};

/* So are the pages from `start` to before `end`. In order; together when the kernel says so. */
typedef void page_visitor(void *data, uint64_t start, uint64_t end, enum page_state state);

/* Returns 0, or -1 with errno. */
int page_scan(int pagemap, enum page_scan_kind kind, uint64_t start, uint64_t end,
	      page_visitor *visit, void *data);

/* Can this page be protected (system/write_watch.h)? So can the whole mapping, then. Also true where no mapping is. */
bool page_scan_can_protect(int pagemap, uint64_t page);

/* Can the kernel scan (since 6.7), or are its entries to be read one by one? */
bool page_scan_is_fast(void);

/* Has it soft-dirty bits? Clears those of this process. */
bool page_scan_has_soft_dirty(void);

/* Makes all pages of a process count as not written. Returns 0, or -1 with errno. */
int page_scan_clear_soft_dirty(pid_t pid);

/* -1 with errno. */
int page_scan_open(pid_t pid);

uint64_t page_size(void);

#endif
