// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding byte strings by their hash. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/table.h"

#define SIZE_LEAST 16

/* FNV-1a from a secret beginning, finished so that all of its bits tell. Keys may be chosen by a
 * container: it must not be able to make them collide. */
static uint64_t hash_of(const void *key, size_t length)
{
	static uint64_t secret;
	const unsigned char *bytes = key;
	uint64_t hash;

	if (secret == 0 && (getrandom(&secret, sizeof(secret), 0) < 0 || secret == 0))
		secret = 14695981039346656037ULL;
	hash = secret;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 1099511628211ULL;
	hash ^= hash >> 32;
	return hash * 0x9e3779b97f4a7c15ULL;
}

/* Where the key is, or the empty slot where it would be. */
static size_t slot_of(const struct table *table, uint64_t hash, const void *key, size_t length)
{
	size_t at = (size_t)(hash >> 20) & (table->size - 1);

	for (;; at = (at + 1) & (table->size - 1)) {
		const struct table_entry *entry = table->slots[at];

		if (entry == NULL || (entry->hash == hash && entry->length == length &&
				      memcmp(entry->key, key, length) == 0))
			return at;
	}
}

static void resize(struct table *table, size_t size)
{
	struct table old = *table;
	struct table_entry *entry;
	size_t at = 0;

	table->size = size;
	table->slots = memory_allocate(size, sizeof(struct table_entry *));
	while ((entry = table_next(&old, &at)) != NULL)
		table->slots[slot_of(table, entry->hash, entry->key, entry->length)] = entry;
	free(old.slots);
}

struct table_entry *table_find(const struct table *table, const void *key, size_t length)
{
	if (table->size == 0)
		return NULL;
	return table->slots[slot_of(table, hash_of(key, length), key, length)];
}

struct table_entry *table_add(struct table *table, const void *key, size_t length)
{
	uint64_t hash = hash_of(key, length);
	struct table_entry *entry;
	size_t at;

	if (table->size == 0)
		resize(table, SIZE_LEAST);
	at = slot_of(table, hash, key, length);
	if (table->slots[at] != NULL)
		return table->slots[at];
	if ((table->count + 1) * 4 > table->size * 3) {
		resize(table, table->size * 2);
		at = slot_of(table, hash, key, length);
	}
	entry = memory_allocate(1, sizeof(*entry) + length + 1);
	entry->hash = hash;
	entry->length = length;
	memcpy(entry->key, key, length);
	table->slots[at] = entry;
	table->count++;
	return entry;
}

struct table_entry *table_next(const struct table *table, size_t *at)
{
	while (*at < table->size) {
		struct table_entry *entry = table->slots[(*at)++];

		if (entry != NULL)
			return entry;
	}
	return NULL;
}

void table_filter(struct table *table, bool (*keep)(const struct table_entry *entry, void *data),
		  void *data)
{
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i] != NULL && !keep(table->slots[i], data)) {
			free(table->slots[i]);
			table->slots[i] = NULL;
			table->count--;
		}
	/* What is left must be found again behind the gaps. */
	if (table->size > 0)
		resize(table, table->size);
}

void table_release(struct table *table)
{
	struct table_entry *entry;
	size_t at = 0;

	while ((entry = table_next(table, &at)) != NULL)
		free(entry);
	free(table->slots);
	*table = (struct table){ 0 };
}
