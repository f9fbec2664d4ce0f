// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for knowing which memory of a process is still missing. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "system/lazy_ranges.h"

/* Inserting moves half a block of ranges, and copying a set one pointer for each block: some 3 KiB here, and
 * for 100,000 ranges 800 pointers there. */
#define BLOCK_RANGES 128

struct lazy_block {
	unsigned int users; /* how many sets have it */
	size_t count;	    /* at least one */
	struct lazy_range items[BLOCK_RANGES];
};

/* Where a range is, or where one would be inserted: items[item] of blocks[block]. */
struct position {
	size_t block;
	size_t item;
};

/* The first range that ends above `address`. Its block is ranges->count when there is none. */
static struct position locate(const struct lazy_ranges *ranges, uint64_t address)
{
	struct position position = { 0 };
	const struct lazy_block *block;
	size_t above = ranges->count;

	while (position.block < above) {
		size_t middle = position.block + (above - position.block) / 2;

		block = ranges->blocks[middle];
		if (block->items[block->count - 1].end > address)
			above = middle;
		else
			position.block = middle + 1;
	}
	if (position.block == ranges->count)
		return position;
	block = ranges->blocks[position.block];
	above = block->count;
	while (position.item < above) {
		size_t middle = position.item + (above - position.item) / 2;

		if (block->items[middle].end > address)
			above = middle;
		else
			position.item = middle + 1;
	}
	return position;
}

bool lazy_ranges_find(const struct lazy_ranges *ranges, uint64_t address, struct lazy_range *range)
{
	struct position position = locate(ranges, address);

	if (position.block == ranges->count)
		return false;
	*range = ranges->blocks[position.block]->items[position.item];
	return true;
}

/* The block, for being changed: other sets that have it keep it as it is. */
static struct lazy_block *own(struct lazy_ranges *ranges, size_t at)
{
	struct lazy_block *block = ranges->blocks[at];
	struct lazy_block *ours;

	if (block->users == 1)
		return block;
	ours = memory_allocate(1, sizeof(*ours));
	*ours = *block;
	ours->users = 1;
	block->users--;
	ranges->blocks[at] = ours;
	return ours;
}

static void insert_block(struct lazy_ranges *ranges, size_t at, struct lazy_block *block)
{
	if (ranges->count == ranges->capacity) {
		ranges->capacity = ranges->capacity == 0 ? 8 : ranges->capacity * 2;
		ranges->blocks = memory_resize(ranges->blocks, ranges->capacity,
					       sizeof(struct lazy_block *));
	}
	memmove(&ranges->blocks[at + 1], &ranges->blocks[at],
		(ranges->count - at) * sizeof(struct lazy_block *));
	ranges->blocks[at] = block;
	ranges->count++;
}

static struct lazy_block *new_block(void)
{
	struct lazy_block *block = memory_allocate(1, sizeof(*block));

	block->users = 1;
	return block;
}

static void remove_block(struct lazy_ranges *ranges, size_t at)
{
	free(ranges->blocks[at]);
	ranges->count--;
	memmove(&ranges->blocks[at], &ranges->blocks[at + 1],
		(ranges->count - at) * sizeof(struct lazy_block *));
}

/* The block at the position is full: makes room, and says where the position is now. */
static struct position split(struct lazy_ranges *ranges, struct position position)
{
	struct lazy_block *block = own(ranges, position.block);
	struct lazy_block *upper = new_block();
	/* A set that is built from the bottom up gets full blocks. */
	size_t keep = position.item == block->count ? block->count : block->count / 2;

	insert_block(ranges, position.block + 1, upper);
	upper->count = block->count - keep;
	memcpy(upper->items, &block->items[keep], upper->count * sizeof(*upper->items));
	block->count = keep;
	if (position.item > keep || upper->count == 0)
		return (struct position){ position.block + 1, position.item - keep };
	return position;
}

/* Puts a range that overlaps no other where it belongs, `position`. */
static void insert(struct lazy_ranges *ranges, struct position position,
		   const struct lazy_range *range)
{
	struct lazy_block *block;

	if (ranges->count == 0) {
		insert_block(ranges, 0, new_block());
	} else if (position.block == ranges->count) {
		position.block--;
		position.item = ranges->blocks[position.block]->count;
	}
	if (ranges->blocks[position.block]->count == BLOCK_RANGES)
		position = split(ranges, position);
	block = own(ranges, position.block);
	memmove(&block->items[position.item + 1], &block->items[position.item],
		(block->count - position.item) * sizeof(*block->items));
	block->items[position.item] = *range;
	block->count++;
	ranges->bytes += range->end - range->start;
}

static void remove_range(struct lazy_ranges *ranges, struct position position)
{
	struct lazy_block *block = own(ranges, position.block);
	const struct lazy_range *range = &block->items[position.item];

	ranges->bytes -= range->end - range->start;
	block->count--;
	memmove(&block->items[position.item], &block->items[position.item + 1],
		(block->count - position.item) * sizeof(*block->items));
	if (block->count == 0)
		remove_block(ranges, position.block);
}

/* Takes [start, end), which it overlaps, from the range at the position. */
static void cut(struct lazy_ranges *ranges, struct position position, uint64_t start, uint64_t end)
{
	struct lazy_range *range = &own(ranges, position.block)->items[position.item];
	const struct lazy_range whole = *range;
	const struct lazy_range rest = {
		.start = end,
		.end = whole.end,
		.origin = whole.origin + (end - whole.start),
	};

	if (whole.start >= start && whole.end <= end) {
		remove_range(ranges, position);
		return;
	}
	if (whole.start >= start) {
		ranges->bytes -= end - whole.start;
		*range = rest;
		return;
	}
	ranges->bytes -= whole.end - start;
	range->end = start;
	position.item++;
	if (whole.end > end)
		insert(ranges, position, &rest);
}

void lazy_ranges_drop(struct lazy_ranges *ranges, uint64_t start, uint64_t end)
{
	struct position position = locate(ranges, start);

	while (start < end && position.block < ranges->count &&
	       ranges->blocks[position.block]->items[position.item].start < end) {
		cut(ranges, position, start, end);
		position = locate(ranges, start);
	}
}

/* Makes the range before the position longer when what comes follows it here and in the store. */
static bool extend(struct lazy_ranges *ranges, struct position position,
		   const struct lazy_range *range)
{
	struct lazy_range *before;

	if (position.item > 0)
		position.item--;
	else if (position.block > 0)
		position.item = ranges->blocks[--position.block]->count - 1;
	else
		return false;
	before = &ranges->blocks[position.block]->items[position.item];
	if (before->end != range->start ||
	    before->origin + (before->end - before->start) != range->origin)
		return false;
	own(ranges, position.block)->items[position.item].end = range->end;
	ranges->bytes += range->end - range->start;
	return true;
}

void lazy_ranges_add(struct lazy_ranges *ranges, uint64_t start, uint64_t end, uint64_t origin)
{
	const struct lazy_range range = { .start = start, .end = end, .origin = origin };
	struct position position;

	if (start >= end)
		return;
	lazy_ranges_drop(ranges, start, end);
	position = locate(ranges, start);
	if (!extend(ranges, position, &range))
		insert(ranges, position, &range);
}

static uint64_t sum(uint64_t one, uint64_t other)
{
	return other > UINT64_MAX - one ? UINT64_MAX : one + other;
}

/* Takes out what is in [start, end). The caller frees. */
static struct lazy_range *extract(struct lazy_ranges *ranges, uint64_t start, uint64_t end,
				  size_t *count)
{
	struct lazy_range *found = NULL;
	struct lazy_range range;
	size_t capacity = 0;

	*count = 0;
	for (uint64_t at = start;
	     at < end && lazy_ranges_find(ranges, at, &range) && range.start < end;
	     at = range.end) {
		if (range.start < start) {
			range.origin += start - range.start;
			range.start = start;
		}
		range.end = range.end < end ? range.end : end;
		if (*count == capacity) {
			capacity = capacity == 0 ? 16 : capacity * 2;
			found = memory_resize(found, capacity, sizeof(*found));
		}
		found[(*count)++] = range;
	}
	lazy_ranges_drop(ranges, start, end);
	return found;
}

void lazy_ranges_move(struct lazy_ranges *ranges, uint64_t from, uint64_t to, uint64_t length)
{
	size_t count;
	struct lazy_range *moved = extract(ranges, from, sum(from, length), &count);

	lazy_ranges_drop(ranges, to, sum(to, length));
	for (size_t i = 0; i < count; i++)
		lazy_ranges_add(ranges, sum(to, moved[i].start - from),
				sum(to, moved[i].end - from), moved[i].origin);
	free(moved);
}

void lazy_ranges_copy(struct lazy_ranges *to, const struct lazy_ranges *from)
{
	to->blocks = memory_allocate(from->count, sizeof(struct lazy_block *));
	to->count = from->count;
	to->capacity = from->count;
	to->bytes = from->bytes;
	for (size_t i = 0; i < from->count; i++) {
		to->blocks[i] = from->blocks[i];
		to->blocks[i]->users++;
	}
}

void lazy_ranges_release(struct lazy_ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (--ranges->blocks[i]->users == 0)
			free(ranges->blocks[i]);
	free(ranges->blocks);
	*ranges = (struct lazy_ranges){ 0 };
}
