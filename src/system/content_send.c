// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for bringing what the store over there has of shared and locked memory up to what there is. */
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/content_send.h"
#include "system/content_sources.h"
#include "system/image_ask.h"

/* Where a block of the index is looked for. */
struct part {
	uint32_t object;
	uint32_t number;
};

/* The walk over one source. */
struct walk {
	struct content_sender *content;
	struct page_sender *sender;
	const struct pace *pace;
	int fd;
	uint32_t object;
	char name[CONTENT_NAME_SIZE];
	uint64_t number; /* the block that is being gathered */
	uint64_t pages;	 /* ... which of its pages are there; 0: none is */
	int64_t resident;
	int outcome;
	struct error *err;
};

static uint32_t number_of(struct content_sender *content, const struct content_source *source)
{
	struct table_entry *entry =
		table_add(&content->objects, &source->identity, sizeof(source->identity));

	if (entry->number == 0)
		entry->number = content->objects.count;
	return (uint32_t)entry->number;
}

/* CONTENT_NONE: there is no room for one more. */
static uint32_t block_of(struct content_sender *content, uint32_t object, uint32_t number)
{
	struct part part = { object, number };
	struct table_entry *entry = table_add(&content->blocks, &part, sizeof(part));
	uint32_t block;

	if (entry->number != 0)
		return (uint32_t)entry->number - 1;
	block = content_index_take(content->index, object, number);
	if (block != CONTENT_NONE)
		entry->number = (uint64_t)block + 1;
	return block;
}

/* Returns those that could be read. */
static uint64_t read_pages(const struct walk *walk)
{
	uint64_t left = walk->pages;
	size_t size = page_size();
	struct page_run run;
	uint64_t got = 0;

	while (page_run_take(&left, &run)) {
		off_t at = (off_t)(walk->number * PAGE_BLOCK_SIZE + run.first * size);
		unsigned char *into = walk->sender->buffer + run.first * size;
		ssize_t length;

		do
			length = pread(walk->fd, into, run.count * size, at);
		while (length < 0 && errno == EINTR);
		for (uint64_t page = (uint64_t)1 << run.first; length >= (ssize_t)size;
		     length -= (ssize_t)size, page <<= 1)
			got |= page;
	}
	return got;
}

/* Notes what these pages are now, of which those that are not `filled` are zero. Returns which of them were not. */
static uint64_t note(const struct content_index *index, struct page_hash *hashes, uint64_t pages,
		     uint64_t filled, const unsigned char *bytes, uint64_t *zeros)
{
	static const struct page_hash zero = PAGE_HASH_ZERO;
	uint64_t different = 0;

	*zeros = 0;
	for (; pages != 0; pages &= pages - 1) {
		unsigned int place = (unsigned int)__builtin_ctzll(pages);
		const unsigned char *page = bytes + place * page_size();
		uint64_t bit = pages & -pages;
		struct page_hash hash = (filled & bit) == 0 || page_is_zero(page)
						? zero
						: page_hash(&index->key, page);

		if (page_hash_is_same(hash, hashes[place]))
			continue;
		hashes[place] = hash;
		different |= bit;
		*zeros |= page_hash_is_same(hash, zero) ? bit : 0;
	}
	return different;
}

static uint64_t all_pages(const struct content_index *index)
{
	return index->pages < 64 ? ((uint64_t)1 << index->pages) - 1 : UINT64_MAX;
}

/* What is there but could not be read stays as it is over there. */
static int send_block(struct walk *walk)
{
	struct content_index *index = walk->content->index;
	uint64_t base = walk->number * PAGE_BLOCK_SIZE;
	uint32_t block = block_of(walk->content, walk->object, (uint32_t)walk->number);
	uint64_t read;
	uint64_t different;
	uint64_t zeros;

	if (block == CONTENT_NONE)
		return 0;
	index->blocks[block].round = walk->content->round;
	read = read_pages(walk);
	different =
		note(index, content_index_hashes(index, block),
		     read | (all_pages(index) & ~walk->pages), read, walk->sender->buffer, &zeros);
	if (page_send_ranges(walk->sender, walk->name, IMAGE_ZERO, base, zeros, walk->err) < 0 ||
	    page_send_data(walk->sender, walk->name, base, different & ~zeros, walk->err) < 0)
		return -1;
	return pace_keep(walk->pace, &walk->sender->writer, walk->err);
}

static void end_block(struct walk *walk)
{
	if (walk->outcome == 0 && walk->pages != 0 && walk->number < CONTENT_BLOCKS_MAX)
		walk->outcome = send_block(walk);
	walk->resident += (int64_t)((uint64_t)__builtin_popcountll(walk->pages) * page_size());
	walk->pages = 0;
}

static void gather(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	struct walk *walk = data;

	while (state != PAGE_ZERO && start < end && walk->outcome == 0) {
		uint64_t number = start / PAGE_BLOCK_SIZE;

		if (number != walk->number)
			end_block(walk);
		walk->number = number;
		walk->pages |= sent_pages_take(&start, end);
	}
}

/* Whoever was to show it has ended, or maps it otherwise now; others may have it. It is looked for once more. */
static void keep(const struct content_sender *content, uint32_t object)
{
	for (uint32_t i = 0; i < content->index->counts->used; i++)
		if (content->index->blocks[i].object == object)
			content->index->blocks[i].round = content->round;
}

static int send_source(struct walk *walk, const struct content_sources *sources,
		       const struct content_source *source)
{
	CLEANUP(descriptor_close) int fd = content_source_open(sources, source);

	walk->fd = fd;
	walk->object = number_of(walk->content, source);
	if (fd < 0) {
		keep(walk->content, walk->object);
		return 0;
	}
	content_name(walk->object, walk->name);
	content_source_visit(source, fd, gather, walk);
	end_block(walk);
	return walk->outcome;
}

static bool has_number(const struct table_entry *entry, void *data)
{
	(void)data;
	return entry->number != 0;
}

/* Blocks that were not seen in this round are not there any more. */
static int send_gone(struct content_sender *content, struct page_sender *sender, struct error *err)
{
	struct content_index *index = content->index;
	bool any = false;

	for (uint32_t i = 0; i < index->counts->used; i++) {
		const struct content_block *block = &index->blocks[i];
		struct part part = { block->object, block->number };
		char name[CONTENT_NAME_SIZE];
		uint64_t zeros;

		if (block->object == 0 || block->round == content->round)
			continue;
		content_name(block->object, name);
		note(index, content_index_hashes(index, i), all_pages(index), 0, sender->buffer,
		     &zeros);
		if (page_send_ranges(sender, name, IMAGE_ZERO, block->number * PAGE_BLOCK_SIZE,
				     zeros, err) < 0)
			return -1;
		table_find(&content->blocks, &part, sizeof(part))->number = 0;
		content_index_drop(index, i);
		any = true;
	}
	if (any)
		table_filter(&content->blocks, has_number, NULL);
	return 0;
}

int content_send_round(struct content_sender *content, struct page_sender *sender,
		       const struct memory_processes *processes, const struct pace *pace,
		       int answers, int64_t *resident, struct error *err)
{
	CLEANUP(content_sources_release) struct content_sources sources = { 0 };
	struct walk walk = {
		.content = content,
		.sender = sender,
		.pace = pace,
		.err = err,
	};
	int64_t before = sender->writer.traffic.sent;

	if (content->index == NULL)
		return 0;
	content->round++;
	if (content_sources_find(&sources, processes, err) < 0)
		return -1;
	for (size_t i = 0; i < sources.count; i++)
		if (send_source(&walk, &sources, &sources.items[i]) < 0)
			return -1;
	*resident = walk.resident;
	if (send_gone(content, sender, err) < 0)
		return -1;
	/* It can be looked up only when it has arrived: criu's images go another way. */
	if (sender->writer.traffic.sent != before &&
	    image_ask(&sender->writer, IMAGE_REACHED, ++content->questions, answers, err) < 0)
		return -1;
	content_index_build(content->index);
	return 0;
}
