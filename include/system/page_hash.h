/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 128 bits that stand for what is in a page. Two different pages have the same ones by a chance of 2^-128,
 * whoever made them: the key is secret and drawn for each migration, and nobody sees a hash.
 */
#ifndef SYSTEM_PAGE_HASH_H
#define SYSTEM_PAGE_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct page_hash {
	uint64_t words[2];
};

/* That of a page of zeros. */
#define PAGE_HASH_ZERO                                                                             \
	{                                                                                          \
		{                                                                                  \
			0, 0                                                                       \
		}                                                                                  \
	}

struct page_hash_key {
	uint64_t *words; /* four for each word of a page, and four */
};

int page_hash_key_make(struct page_hash_key *key, struct error *err);
void page_hash_key_release(struct page_hash_key *key);

/* Of a whole page (page_size()), aligned for words. */
struct page_hash page_hash(const struct page_hash_key *key, const void *page);

bool page_hash_is_same(struct page_hash one, struct page_hash other);

bool page_is_zero(const void *page);

#endif
