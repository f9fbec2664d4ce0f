/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the destination has of one process's memory, as far as the source knows: of which pages it has data,
 * and a hash of that data. Pages are kept by blocks of 256 KiB, in sets of bits (bit 0: the first page).
 *
 * A scan notes which pages are there and which have changed; what is to be looked at after it is `open`.
 * Takes some 19 bytes a page, and 250 for one that is alone in its block.
 */
#ifndef SYSTEM_SENT_PAGES_H
#define SYSTEM_SENT_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "system/page_hash.h"
#include "system/page_scan.h"

#define PAGE_BLOCK_SIZE ((uint64_t)256 << 10)

/* Neighbours in a set of pages. */
struct page_run {
	unsigned int first;
	unsigned int count;
};

/* Takes the first run out of a set; false when it is empty. */
bool page_run_take(uint64_t *pages, struct page_run *run);

struct page_block {
	uint64_t number; /* address / PAGE_BLOCK_SIZE */
	/* Sets of pages: */
	uint64_t present;	  /* found by the present scan */
	uint64_t changed;	  /* ... as changed */
	uint64_t open;		  /* to be looked at; nothing that is not present */
	uint64_t recent;	  /* looked at too soon after a change: once more */
	uint64_t filled;	  /* the destination may have data; any other is zero there */
	uint64_t known;		  /* ... and this is the hash of what it has: */
	struct page_hash *hashes; /* one for each of `known`, in order */
};

struct sent_pages {
	struct table index; /* number -> index + 1 */
	struct page_block *blocks;
	size_t count;
	uint64_t resident; /* pages, after the last scan */
	uint64_t changed;  /* of them, found by it */
};

/* A scan begins; so are these pages. A page may be noted more than once. */
void sent_pages_begin(struct sent_pages *sent);
void sent_pages_note(struct sent_pages *sent, uint64_t start, uint64_t end, enum page_state state);

/* The scan is over: what is open now, and what is `filled` but not `present` is nothing any more: the
 * caller makes it zero over there and calls sent_pages_forget(). `partly`: the scan has visited only what has
 * changed; whatever is known counts as present. */
void sent_pages_finish(struct sent_pages *sent, bool partly);

/* These pages of a block are zero over there. */
void sent_pages_forget(struct page_block *block, uint64_t pages);

/* The block of an address, made when it is not there. Valid until the next is made. */
struct page_block *sent_pages_block(struct sent_pages *sent, uint64_t address);

/* NULL when it is not there. */
struct page_block *sent_pages_find(const struct sent_pages *sent, uint64_t address);

/* Which pages of its first block a range of whole pages has; *start becomes where the next block's begin. */
uint64_t sent_pages_take(uint64_t *start, uint64_t end);

/* What the destination has of a known page (one bit). */
struct page_hash sent_pages_hash(const struct page_block *block, uint64_t page);

/* The destination has, or gets, these pages as they are now: `hashes` has room for each page of a block, by
 * its place. Zeros fill nothing. */
void sent_pages_know(struct page_block *block, uint64_t pages, const struct page_hash *hashes);

/* Which of these pages are zeros, by their hashes. */
uint64_t sent_pages_zeros(uint64_t pages, const struct page_hash *hashes);

/* Blocks of which nothing is left take no memory any more. */
void sent_pages_shrink(struct sent_pages *sent);

void sent_pages_release(struct sent_pages *sent);

#endif
