/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of one process's memory is still missing: which addresses, and where in the store the bytes for each
 * of them lie. The two are the same until the process moves its mappings about.
 *
 * Ranges are half open, [start, end), in bytes. A set is sorted and no two of its ranges overlap. Every
 * function but the two that say otherwise takes O(log n) for each range that it finds, adds or removes.
 */
#ifndef SYSTEM_LAZY_RANGES_H
#define SYSTEM_LAZY_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lazy_range {
	uint64_t start;
	uint64_t end;
	uint64_t origin; /* where in the store the byte at `start` lies; the others follow */
};

/* Some ranges; what a copy has not changed is shared with it. */
struct lazy_block;

/* { 0 } is empty. */
struct lazy_ranges {
	struct lazy_block **blocks;
	size_t count;
	size_t capacity;
	uint64_t bytes; /* in all ranges together */
};

/* [start, end) is missing, whatever was said of it before. */
void lazy_ranges_add(struct lazy_ranges *ranges, uint64_t start, uint64_t end, uint64_t origin);

/* [start, end) is missing no more: it is there, or unmapped, or to be zero. */
void lazy_ranges_drop(struct lazy_ranges *ranges, uint64_t start, uint64_t end);

/* What was at [from, from + length) is now at [to, to + length), where nothing else is any more. What would
 * come to lie above 2^64 is dropped. */
void lazy_ranges_move(struct lazy_ranges *ranges, uint64_t from, uint64_t to, uint64_t length);

/* The range that `address` is in, or else the first one above it. False when there is none. */
bool lazy_ranges_find(const struct lazy_ranges *ranges, uint64_t address, struct lazy_range *range);

/* `to`, which is empty, becomes the same as `from`. O(n), but of a very small part of n. */
void lazy_ranges_copy(struct lazy_ranges *to, const struct lazy_ranges *from);

/* Empties it. O(n) */
void lazy_ranges_release(struct lazy_ranges *ranges);

#endif
