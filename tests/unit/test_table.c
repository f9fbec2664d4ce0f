// SPDX-License-Identifier: GPL-2.0-or-later
/* Table: what was added is found, with its number, whatever its bytes. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/table.h"
#include "unit.h"

static void finds_what_was_added(void **state)
{
	CLEANUP(table_release) struct table table = { 0 };
	char key[32];

	(void)state;
	assert_null(table_find(&table, "x", 1));
	for (unsigned int i = 0; i < 5000; i++) {
		int length = snprintf(key, sizeof(key), "key %u", i);

		table_add(&table, key, (size_t)length)->number = i;
	}
	assert_int_equal(table.count, 5000);
	for (unsigned int i = 0; i < 5000; i++) {
		int length = snprintf(key, sizeof(key), "key %u", i);

		assert_int_equal(table_add(&table, key, (size_t)length)->number, i);
		assert_string_equal(table_find(&table, key, (size_t)length)->key, key);
	}
	assert_int_equal(table.count, 5000);
	assert_null(table_find(&table, "key 5000", 8));
}

static void keys_are_bytes(void **state)
{
	CLEANUP(table_release) struct table table = { 0 };

	(void)state;
	table_add(&table, "a\0b", 3)->number = 1;
	table_add(&table, "a\0c", 3)->number = 2;
	table_add(&table, "a", 1)->number = 3;
	table_add(&table, "", 0)->number = 4;
	assert_int_equal(table.count, 4);
	assert_int_equal(table_find(&table, "a\0c", 3)->number, 2);
	assert_int_equal(table_find(&table, "", 0)->number, 4);
}

static bool is_even(const struct table_entry *entry, void *data)
{
	(*(size_t *)data)++;
	return entry->number % 2 == 0;
}

static void filtered_entries_are_gone_and_the_others_found(void **state)
{
	CLEANUP(table_release) struct table table = { 0 };
	size_t asked = 0;
	size_t seen = 0;
	size_t at = 0;
	char key[32];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		table_add(&table, key, (size_t)snprintf(key, sizeof(key), "%u", i))->number = i;
	table_filter(&table, is_even, &asked);
	assert_int_equal(asked, 1000);
	assert_int_equal(table.count, 500);
	for (unsigned int i = 0; i < 1000; i++) {
		size_t length = (size_t)snprintf(key, sizeof(key), "%u", i);

		assert_int_equal(table_find(&table, key, length) != NULL, i % 2 == 0);
	}
	while (table_next(&table, &at) != NULL)
		seen++;
	assert_int_equal(seen, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added),
		cmocka_unit_test(keys_are_bytes),
		cmocka_unit_test(filtered_entries_are_gone_and_the_others_found),
	};

	return RUN_ALL(tests);
}
