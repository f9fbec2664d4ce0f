// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding pages by what is in them. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "base/memory.h"
#include "system/content_index.h"
#include "system/page_scan.h"
#include "system/sent_pages.h"

/* So few pages a chain has on average. */
#define CHAIN_PAGES 2

/* Objects that are not filled leave blocks half empty. */
#define SPARE_BLOCKS 4096

/* Numbers of pages have 32 bits. */
#define CAPACITY_MAX ((uint64_t)1 << 25)

static const struct page_hash zero = PAGE_HASH_ZERO;

void content_name(uint32_t object, char name[CONTENT_NAME_SIZE])
{
	snprintf(name, CONTENT_NAME_SIZE, "content-%u", object);
}

/* No more can be in memory. */
static uint64_t blocks_of_machine(void)
{
	struct sysinfo machine;
	uint64_t blocks = CAPACITY_MAX;

	if (sysinfo(&machine) == 0)
		blocks = ((uint64_t)machine.totalram + machine.totalswap) * machine.mem_unit /
				 PAGE_BLOCK_SIZE +
			 SPARE_BLOCKS;
	return blocks < CAPACITY_MAX ? blocks : CAPACITY_MAX;
}

/* Parts of the memory, each for all blocks. */
static void *take_part(struct content_index *index, size_t size)
{
	void *part = (char *)index->memory + index->size;

	index->size += (size + 63) / 64 * 64;
	return part;
}

static void lay_out(struct content_index *index)
{
	size_t blocks = index->capacity;
	size_t pages = blocks * index->pages;

	index->size = 0;
	index->counts = take_part(index, sizeof(*index->counts));
	index->blocks = take_part(index, blocks * sizeof(*index->blocks));
	index->hashes = take_part(index, pages * sizeof(*index->hashes));
	index->next = take_part(index, pages * sizeof(*index->next));
	index->chains = take_part(index, (pages / CHAIN_PAGES + 1) * sizeof(*index->chains));
}

int content_index_make(struct content_index *index, struct error *err)
{
	*index = (struct content_index){
		.capacity = (uint32_t)blocks_of_machine(),
		.pages = (uint32_t)(PAGE_BLOCK_SIZE / page_size()),
	};
	lay_out(index);
	index->memory = mmap(NULL, index->size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (index->memory == MAP_FAILED) {
		index->memory = NULL;
		return error_system(err, "cannot get memory to remember pages in");
	}
	lay_out(index);
	return page_hash_key_make(&index->key, err);
}

void content_index_release(struct content_index *index)
{
	if (index->memory != NULL)
		munmap(index->memory, index->size);
	page_hash_key_release(&index->key);
	*index = (struct content_index){ 0 };
}

struct page_hash *content_index_hashes(const struct content_index *index, uint32_t block)
{
	return index->hashes + (size_t)block * index->pages;
}

uint32_t content_index_take(struct content_index *index, uint32_t object, uint32_t number)
{
	struct content_counts *counts = index->counts;
	uint32_t block = counts->unused > 0 ? counts->unused - 1 : counts->used;

	if (block >= index->capacity)
		return CONTENT_NONE;
	if (counts->unused > 0)
		counts->unused = index->blocks[block].number;
	else
		counts->used++;
	index->blocks[block] = (struct content_block){ .object = object, .number = number };
	memset(content_index_hashes(index, block), 0, index->pages * sizeof(*index->hashes));
	return block;
}

void content_index_drop(struct content_index *index, uint32_t block)
{
	index->blocks[block] = (struct content_block){ .number = index->counts->unused };
	index->counts->unused = block + 1;
}

static uint32_t *chain_of(const struct content_index *index, struct page_hash hash)
{
	/* The upper half of a product, so that each chain is as likely. */
	return &index->chains[(hash.words[0] >> 32) * index->counts->chains >> 32];
}

/* Backwards, so that the first of a chain is the first of the pages that are alike. */
void content_index_build(struct content_index *index)
{
	struct content_counts *counts = index->counts;

	counts->chains = counts->used * index->pages / CHAIN_PAGES;
	memset(index->chains, 0, counts->chains * sizeof(*index->chains));
	for (uint32_t page = counts->used * index->pages; page-- > 0;) {
		uint32_t *chain;

		if (index->blocks[page / index->pages].object == 0 ||
		    page_hash_is_same(index->hashes[page], zero))
			continue;
		chain = chain_of(index, index->hashes[page]);
		index->next[page] = *chain;
		*chain = page + 1;
	}
}

bool content_index_has_any(const struct content_index *index)
{
	return index->memory != NULL && index->counts->chains > 0;
}

static struct content_place place_of(const struct content_index *index, uint32_t page)
{
	const struct content_block *block = &index->blocks[page / index->pages];

	return (struct content_place){
		.object = block->object,
		.offset = block->number * PAGE_BLOCK_SIZE + page % index->pages * page_size(),
	};
}

bool content_index_claim(struct content_index *index, struct page_hash hash,
			 struct content_place *place)
{
	uint32_t *link = chain_of(index, hash);
	uint32_t page;

	while (*link != 0 && !page_hash_is_same(index->hashes[*link - 1], hash))
		link = &index->next[*link - 1];
	if (*link == 0)
		return false;
	page = *link - 1;
	*link = index->next[page];
	*place = place_of(index, page);
	return true;
}
