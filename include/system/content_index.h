/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the destination has, ahead of the dump, of the memory that criu writes into its own images: a hash of each
 * page, and where it is in the store over there. The sender of memory keeps it from round to round; the sender of
 * criu's images, another process, looks pages up in it. Content is what counts: nothing is said of where in the
 * images, or of which process, a page is.
 *
 * It is memory that both share, so it is made before either is forked. They take turns: nothing is changed any more
 * once the processes stand still, and nothing is looked up before. Pages are kept by blocks of PAGE_BLOCK_SIZE
 * (system/sent_pages.h) of objects (system/content_sources.h). Takes 22 bytes a page of a block that is in use.
 */
#ifndef SYSTEM_CONTENT_INDEX_H
#define SYSTEM_CONTENT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "system/page_hash.h"

/* Of an object: what is further up is not in the index. It ends below 2^50, the last that a receiver accepts. */
#define CONTENT_BLOCKS_MAX (((uint64_t)1 << 32) - 1)

/* No block: the index is full. */
#define CONTENT_NONE UINT32_MAX

struct content_block {
	uint32_t object; /* its number, from 1 on; 0: nothing is here */
	uint32_t
		number; /* offset / PAGE_BLOCK_SIZE; of one that is not in use: the next such, and 1 */
	uint32_t round; /* the caller's: when it was looked at */
};

struct content_index {
	struct page_hash_key key;
	uint32_t capacity; /* blocks */
	uint32_t pages;	   /* of a block */
	/* All of this is shared: */
	void *memory;
	size_t size;
	struct content_counts *counts;
	struct content_block *blocks;
	struct page_hash
		*hashes;  /* of what is there: so many for each block; a hole has that of zeros */
	uint32_t *next;	  /* of each page: another of the same chain, and 1 */
	uint32_t *chains; /* by hash: its first page, and 1 */
};

struct content_counts {
	uint32_t used;	 /* blocks, up to the last that ever was in use */
	uint32_t unused; /* the first block that is no more, and 1 */
	uint32_t chains; /* their number; 0: nothing can be looked up */
};

/* Where a page is over there. */
struct content_place {
	uint32_t object;
	uint64_t offset;
};

/* A name in the store that is no process's. */
#define CONTENT_NAME_SIZE 24
void content_name(uint32_t object, char name[CONTENT_NAME_SIZE]);

/* For as many pages as this machine can have in memory and swap; what is not used takes none. `{ 0 }` is none, of
 * which nothing but release and content_index_has_any() may be called. */
int content_index_make(struct content_index *index, struct error *err);
void content_index_release(struct content_index *index);

/* A block for a part of an object, all of it zeros; CONTENT_NONE. It is the caller's to know which it has. */
uint32_t content_index_take(struct content_index *index, uint32_t object, uint32_t number);
void content_index_drop(struct content_index *index, uint32_t block);

struct page_hash *content_index_hashes(const struct content_index *index, uint32_t block);

/* The destination has confirmed all that the hashes say: from now on it can be looked up. */
void content_index_build(struct content_index *index);

/* Is there anything that could be found? */
bool content_index_has_any(const struct content_index *index);

/* Finds a page of this content, each only once: whoever gets it takes it away over there. Pages that are alike come in
 * the order of their places. */
bool content_index_claim(struct content_index *index, struct page_hash hash,
			 struct content_place *place);

#endif
