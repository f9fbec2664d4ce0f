/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of byte strings, each with a number that is the caller's: found in constant time, kept as a
 * copy. `{ 0 }` is empty.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_entry {
	uint64_t hash;
	uint64_t number; /* 0 when it is new */
	size_t length;
	char key[]; /* with a terminating zero that is not counted */
};

struct table {
	struct table_entry **slots; /* some are NULL: walk with table_next() */
	size_t size;
	size_t count;
};

/* NULL when it is not there. */
struct table_entry *table_find(const struct table *table, const void *key, size_t length);

/* Finds it or makes it. The entry stays where it is as long as it is in the table. */
struct table_entry *table_add(struct table *table, const void *key, size_t length);

/* The entry after slot *at, in no order; NULL at the end. Begin with 0. Nothing may be added
 * meanwhile. */
struct table_entry *table_next(const struct table *table, size_t *at);

/* Takes out the entries of which keep() says no. */
void table_filter(struct table *table, bool (*keep)(const struct table_entry *entry, void *data),
		  void *data);

void table_release(struct table *table);

#endif
