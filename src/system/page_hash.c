// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Alone responsible for the hash of a page.
 *
 * Twice, with independent keys, the multilinear function: the words of the page by keys of 128 bits, summed
 * up modulo 2^128, of which the upper half counts. It is strongly universal (Lemire and Kaser, "Strongly
 * universal string hashing is fast", 2014): no pair of pages has the same half by more than 2^-64. The
 * length is always the same. Not for anything that is published.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "system/page_hash.h"
#include "system/page_scan.h"

#define KEY_WORDS 4 /* for each word: two keys of 128 bits */

__extension__ typedef unsigned __int128 wide;

static wide key_of(const uint64_t *words)
{
	return (wide)words[1] << 64 | words[0];
}

int page_hash_key_make(struct page_hash_key *key, struct error *err)
{
	size_t size = (page_size() / sizeof(uint64_t) + 1) * KEY_WORDS * sizeof(uint64_t);
	unsigned char *bytes = memory_allocate(size, 1);

	key->words = (uint64_t *)(void *)bytes;
	for (size_t done = 0; done < size;) {
		ssize_t got = getrandom(bytes + done, size - done, 0);

		if (got < 0)
			return error_system(err, "cannot draw a key");
		done += (size_t)got;
	}
	return 0;
}

void page_hash_key_release(struct page_hash_key *key)
{
	free(key->words);
	key->words = NULL;
}

struct page_hash page_hash(const struct page_hash_key *key, const void *page)
{
	const uint64_t *keys = key->words + KEY_WORDS;
	const uint64_t *words = page;
	size_t count = page_size() / sizeof(*words);
	wide first = key_of(key->words);
	wide second = key_of(key->words + 2);

	for (size_t i = 0; i < count; i++, keys += KEY_WORDS) {
		first += key_of(keys) * words[i];
		second += key_of(keys + 2) * words[i];
	}
	return (struct page_hash){ { (uint64_t)(first >> 64), (uint64_t)(second >> 64) } };
}

bool page_hash_is_same(struct page_hash one, struct page_hash other)
{
	return one.words[0] == other.words[0] && one.words[1] == other.words[1];
}

bool page_is_zero(const void *page)
{
	const uint64_t *words = page;

	/* Most pages that are none tell by their first word. */
	return words[0] == 0 && memcmp(words, words + 1, page_size() - sizeof(*words)) == 0;
}
