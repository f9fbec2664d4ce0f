// SPDX-License-Identifier: GPL-2.0-or-later
/* Fields of JSON that somebody else wrote: each by its type and bounds, and the error names it. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "unit.h"

static json_object *sample;
static struct error err;

static int parse_sample(void **state)
{
	(void)state;
	sample = json_tokener_parse(
		"{\"text\":\"four\",\"zero\":\"a\\u0000b\",\"path\":\"/srv/a\",\"up\":\"/srv/../"
		"a\","
		"\"number\":7,\"least\":-9223372036854775808,\"huge\":1e99,\"digits\":\"7\","
		"\"yes\":true,\"no\":false,\"null\":null,\"object\":{\"a\":1},"
		"\"list\":[\"x\",\"y\",\"\"],\"mixed\":[\"x\",7],\"zeros\":[\"/a\\u0000/b\"],"
		"\"nulls\":[null],\"none\":[]}");
	return sample != NULL ? 0 : -1;
}

static int release_sample(void **state)
{
	(void)state;
	json_release(&sample);
	return sample == NULL ? 0 : -1;
}

/* The call before has failed with a sentence that names the field. */
static void assert_named(const char *name)
{
	CLEANUP(memory_release) char *quoted = memory_format("'%s'", name);

	if (strstr(err.text, quoted) == NULL)
		fail_msg("'%s' does not name %s", err.text, quoted);
	err = (struct error){ 0 };
}

static void test_texts(void **state)
{
	static const char *const bad[] = { "zero", "number", "null", "object", "list", "missing" };

	(void)state;
	assert_string_equal(json_get_text(sample, "text", 4, &err), "four");
	assert_null(json_get_text(sample, "text", 3, &err));
	assert_named("text");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_null(json_get_text(sample, bad[i], 100, &err));
		assert_named(bad[i]);
	}
	assert_string_equal(json_find_text(sample, "text"), "four");
	assert_null(json_find_text(sample, "number"));
	assert_null(json_find_text(sample, "missing"));
}

static void test_paths(void **state)
{
	static const char *const bad[] = { "up", "text", "number", "missing" };

	(void)state;
	assert_string_equal(json_get_path(sample, "path", &err), "/srv/a");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_null(json_get_path(sample, bad[i], &err));
		assert_named(bad[i]);
	}
}

static void test_numbers(void **state)
{
	static const char *const bad[] = { "digits", "huge", "yes", "null", "missing" };
	int64_t number = 0;

	(void)state;
	assert_int_equal(json_get_number(sample, "number", 7, 7, &number, &err), 0);
	assert_int_equal(number, 7);
	assert_int_equal(json_get_number(sample, "least", INT64_MIN, 0, &number, &err), 0);
	assert_true(number == INT64_MIN);
	assert_int_equal(json_get_number(sample, "number", 8, 100, &number, &err), -1);
	assert_named("number");
	assert_int_equal(json_get_number(sample, "number", 0, 6, &number, &err), -1);
	assert_named("number");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(
			json_get_number(sample, bad[i], INT64_MIN, INT64_MAX, &number, &err), -1);
		assert_named(bad[i]);
	}
}

static void test_flags(void **state)
{
	(void)state;
	assert_true(json_find_flag(sample, "yes"));
	assert_false(json_find_flag(sample, "no"));
	assert_false(json_find_flag(sample, "number"));
	assert_false(json_find_flag(sample, "text"));
	assert_false(json_find_flag(sample, "missing"));
}

static void test_objects_and_lists(void **state)
{
	CLEANUP(words_release) struct words words = { 0 };
	static const char *const bad[] = { "mixed", "zeros", "nulls", "object", "text", "missing" };

	(void)state;
	assert_non_null(json_get_object(sample, "object", &err));
	assert_null(json_get_object(sample, "list", &err));
	assert_named("list");
	assert_non_null(json_get_array(sample, "list", 3, &err));
	assert_null(json_get_array(sample, "list", 2, &err));
	assert_named("list");
	assert_int_equal(json_get_words(sample, "none", 0, &words, &err), 0);
	assert_int_equal(words.count, 0);
	words_add(&words, "first");
	assert_int_equal(json_get_words(sample, "list", 3, &words, &err), 0);
	assert_int_equal(words.count, 4);
	assert_string_equal(words.items[2], "y");
	assert_string_equal(words.items[3], "");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(json_get_words(sample, bad[i], 100, &words, &err), -1);
		assert_named(bad[i]);
	}
}

static void test_items_have_a_limit(void **state)
{
	json_object *list = json_object_new_array();
	CLEANUP(words_release) struct words words = { 0 };
	char item[4097];

	(void)state;
	memset(item, 'x', sizeof(item) - 1);
	item[sizeof(item) - 1] = '\0';
	json_object_array_add(list, json_object_new_string(item + 1));
	json_object_object_add(sample, "long", list);
	assert_int_equal(json_get_words(sample, "long", 2, &words, &err), 0);
	json_object_array_add(list, json_object_new_string(item));
	assert_int_equal(json_get_words(sample, "long", 2, &words, &err), -1);
	assert_named("long");
}

/* What is no object at all has no fields. */
static void test_no_object(void **state)
{
	json_object *const others[] = { NULL, json_object_new_array(), json_object_new_int(1) };
	int64_t number;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_null(json_get_text(others[i], "text", 100, &err));
		assert_named("text");
		assert_int_equal(json_get_number(others[i], "number", 0, 9, &number, &err), -1);
		assert_named("number");
		assert_null(json_find_text(others[i], "text"));
		assert_false(json_find_flag(others[i], "yes"));
		json_object_put(others[i]);
	}
}

static void test_writing(void **state)
{
	CLEANUP(json_release) json_object *object = json_object_new_object();
	CLEANUP(words_release) struct words words = { 0 };

	(void)state;
	words_add(&words, "x");
	json_add_text(object, "a", "\"\n");
	json_add_text(object, "b", NULL);
	json_add_number(object, "c", INT64_MIN);
	json_add_flag(object, "d", true);
	json_add_words(object, "e", &words);
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			    "{\"a\":\"\\\"\\n\",\"b\":null,\"c\":-9223372036854775808,\"d\":true,"
			    "\"e\":[\"x\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_texts, parse_sample, release_sample),
		cmocka_unit_test_setup_teardown(test_paths, parse_sample, release_sample),
		cmocka_unit_test_setup_teardown(test_numbers, parse_sample, release_sample),
		cmocka_unit_test_setup_teardown(test_flags, parse_sample, release_sample),
		cmocka_unit_test_setup_teardown(test_objects_and_lists, parse_sample,
						release_sample),
		cmocka_unit_test_setup_teardown(test_items_have_a_limit, parse_sample,
						release_sample),
		cmocka_unit_test(test_no_object),
		cmocka_unit_test(test_writing),
	};

	return RUN_ALL(tests);
}
