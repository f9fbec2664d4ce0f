// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for remembering what the destination has of a process's memory. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "system/sent_pages.h"

static unsigned int count_of(uint64_t pages)
{
	return (unsigned int)__builtin_popcountll(pages);
}

/* The pages of a block from one up to before another. */
static uint64_t set_of(uint64_t first, uint64_t end)
{
	uint64_t below = end < 64 ? ((uint64_t)1 << end) - 1 : UINT64_MAX;

	return below & ~(((uint64_t)1 << first) - 1);
}

uint64_t sent_pages_take(uint64_t *start, uint64_t end)
{
	uint64_t base = *start / PAGE_BLOCK_SIZE * PAGE_BLOCK_SIZE;
	uint64_t stop = end - base < PAGE_BLOCK_SIZE ? end - base : PAGE_BLOCK_SIZE;
	uint64_t pages = set_of((*start - base) / page_size(), stop / page_size());

	*start = base + stop;
	return pages;
}

bool page_run_take(uint64_t *pages, struct page_run *run)
{
	uint64_t shifted;

	if (*pages == 0)
		return false;
	run->first = (unsigned int)__builtin_ctzll(*pages);
	shifted = *pages >> run->first;
	run->count = ~shifted == 0 ? 64 : (unsigned int)__builtin_ctzll(~shifted);
	/* Shifting by 64 is not defined; then nothing is left. */
	*pages = run->first + run->count < 64
			 ? *pages >> (run->first + run->count) << (run->first + run->count)
			 : 0;
	return true;
}

void sent_pages_begin(struct sent_pages *sent)
{
	for (size_t i = 0; i < sent->count; i++) {
		sent->blocks[i].present = 0;
		sent->blocks[i].changed = 0;
	}
}

struct page_block *sent_pages_block(struct sent_pages *sent, uint64_t address)
{
	uint64_t number = address / PAGE_BLOCK_SIZE;
	struct table_entry *entry = table_add(&sent->index, &number, sizeof(number));

	if (entry->number > 0)
		return &sent->blocks[entry->number - 1];
	sent->blocks = memory_grow(sent->blocks, sent->count, sizeof(*sent->blocks));
	sent->blocks[sent->count++] = (struct page_block){ .number = number };
	entry->number = sent->count;
	return &sent->blocks[sent->count - 1];
}

struct page_block *sent_pages_find(const struct sent_pages *sent, uint64_t address)
{
	uint64_t number = address / PAGE_BLOCK_SIZE;
	const struct table_entry *entry = table_find(&sent->index, &number, sizeof(number));

	return entry != NULL ? &sent->blocks[entry->number - 1] : NULL;
}

/* The kernel's zeros matter only where something else is over there. */
static void note_zeros(struct sent_pages *sent, uint64_t address, uint64_t pages)
{
	struct page_block *block = sent_pages_find(sent, address);

	if (block == NULL)
		return;
	block->present |= pages & block->filled;
	block->changed |= pages & block->filled;
}

void sent_pages_note(struct sent_pages *sent, uint64_t start, uint64_t end, enum page_state state)
{
	while (start < end) {
		uint64_t address = start;
		uint64_t pages = sent_pages_take(&start, end);

		if (state == PAGE_ZERO) {
			note_zeros(sent, address, pages);
		} else {
			struct page_block *block = sent_pages_block(sent, address);

			block->present |= pages;
			block->changed |= state == PAGE_WRITTEN ? pages : 0;
		}
	}
}

void sent_pages_finish(struct sent_pages *sent, bool partly)
{
	sent->resident = 0;
	sent->changed = 0;
	for (size_t i = 0; i < sent->count; i++) {
		struct page_block *block = &sent->blocks[i];

		if (partly)
			block->present |= block->known;
		else
			/* They were zero, and nothing need be told over there. */
			sent_pages_forget(block, block->known & ~block->present & ~block->filled);
		block->open |= block->changed | block->recent | ~block->known;
		block->open &= block->present;
		block->recent = block->changed;
		sent->resident += count_of(block->present);
		sent->changed += count_of(block->changed);
	}
}

/* The hashes of `known` become those of another set: `fresh` where it has them, else as before. */
static void replace_hashes(struct page_block *block, uint64_t known, uint64_t pages,
			   const struct page_hash *fresh)
{
	struct page_hash *hashes = NULL;
	size_t count = 0;

	/* The usual case: the same pages again. */
	for (uint64_t left = known == block->known ? pages : 0; left != 0; left &= left - 1)
		block->hashes[count_of(known & ((left & -left) - 1))] =
			fresh[__builtin_ctzll(left)];
	if (known == block->known)
		return;
	if (known != 0)
		hashes = memory_allocate(count_of(known), sizeof(*hashes));
	for (uint64_t left = known; left != 0; left &= left - 1) {
		uint64_t page = left & -left;

		hashes[count++] = (pages & page) != 0 ? fresh[__builtin_ctzll(page)]
						      : sent_pages_hash(block, page);
	}
	free(block->hashes);
	block->hashes = hashes;
	block->known = known;
}

void sent_pages_forget(struct page_block *block, uint64_t pages)
{
	block->filled &= ~pages;
	block->recent &= ~pages;
	if ((block->known & pages) != 0)
		replace_hashes(block, block->known & ~pages, 0, NULL);
}

struct page_hash sent_pages_hash(const struct page_block *block, uint64_t page)
{
	return block->hashes[count_of(block->known & (page - 1))];
}

uint64_t sent_pages_zeros(uint64_t pages, const struct page_hash *hashes)
{
	static const struct page_hash zero = PAGE_HASH_ZERO;
	uint64_t zeros = 0;

	for (; pages != 0; pages &= pages - 1)
		if (page_hash_is_same(hashes[__builtin_ctzll(pages)], zero))
			zeros |= pages & -pages;
	return zeros;
}

void sent_pages_know(struct page_block *block, uint64_t pages, const struct page_hash *hashes)
{
	uint64_t zeros = sent_pages_zeros(pages, hashes);

	block->filled = (block->filled & ~zeros) | (pages & ~zeros);
	block->open &= ~pages;
	replace_hashes(block, block->known | pages, pages, hashes);
}

static bool has_number(const struct table_entry *entry, void *data)
{
	(void)data;
	return entry->number > 0;
}

void sent_pages_shrink(struct sent_pages *sent)
{
	size_t kept = 0;

	for (size_t i = 0; i < sent->count; i++)
		kept += (sent->blocks[i].present | sent->blocks[i].filled) != 0;
	if (kept >= sent->count / 2)
		return;
	kept = 0;
	for (size_t i = 0; i < sent->count; i++) {
		struct page_block block = sent->blocks[i];
		struct table_entry *entry =
			table_find(&sent->index, &block.number, sizeof(block.number));

		if ((block.present | block.filled) != 0) {
			sent->blocks[kept++] = block;
			entry->number = kept;
			continue;
		}
		sent_pages_forget(&block, UINT64_MAX);
		entry->number = 0;
	}
	sent->count = kept;
	table_filter(&sent->index, has_number, NULL);
}

void sent_pages_release(struct sent_pages *sent)
{
	for (size_t i = 0; i < sent->count; i++)
		free(sent->blocks[i].hashes);
	free(sent->blocks);
	table_release(&sent->index);
	*sent = (struct sent_pages){ 0 };
}
