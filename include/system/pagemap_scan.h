/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's ioctl PAGEMAP_SCAN, of a descriptor of /proc/PID/pagemap (since 6.7; include/uapi/linux/fs.h, which
 * older headers lack).
 */
#ifndef SYSTEM_PAGEMAP_SCAN_H
#define SYSTEM_PAGEMAP_SCAN_H

#include <stdint.h>
#include <sys/ioctl.h>

struct pagemap_scan_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct pagemap_scan {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t regions;
	uint64_t region_count;
	uint64_t page_limit;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define PAGEMAP_SCAN_REQUEST _IOWR('f', 16, struct pagemap_scan)
#define PAGEMAP_SCAN_PROTECT 1
#define PAGEMAP_SCAN_CHECK 2
#define PAGEMAP_IS_WRITTEN (1 << 1)
#define PAGEMAP_IS_PRESENT (1 << 3)
#define PAGEMAP_IS_SWAPPED (1 << 4)
#define PAGEMAP_IS_ZERO (1 << 5)
#define PAGEMAP_IS_SOFT_DIRTY (1 << 7)
#define PAGEMAP_IS_GUARD (1 << 8) /* since 6.15 */

#endif
