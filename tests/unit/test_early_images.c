// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts that go ahead of the images: those that a runtime has written, and nothing else a peer may say. */
#include <unistd.h>

#include "base/json.h"
#include "node/early_images.h"
#include "temporary.h"

#define DESCRIPTORS "[\"/dev/null\",\n\"pipe:[1]\"]"

static void test_they_arrive(void **state)
{
	CLEANUP(memory_release) char *path = put_file("descriptors.json", DESCRIPTORS);
	CLEANUP(memory_release) char *log = put_file("dump.log", "\001");
	CLEANUP(json_release) json_object *files = early_images_read(temporary);
	struct error err = { 0 };

	(void)state;
	assert_non_null(files);
	assert_int_equal(json_object_object_length(files), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(early_images_write(temporary, files, &err), 0);
	assert_file_is(path, DESCRIPTORS, strlen(DESCRIPTORS));
}

static void test_none(void **state)
{
	CLEANUP(json_release) json_object *files = early_images_read(temporary);
	struct error err = { 0 };

	(void)state;
	assert_non_null(files);
	assert_int_equal(json_object_object_length(files), 0);
	assert_int_equal(early_images_write(temporary, files, &err), 0);
}

static void test_no_texts(void **state)
{
	CLEANUP(memory_release) char *path = put_bytes("core-1.img", "a\0b", 3);

	(void)state;
	assert_null(early_images_read(temporary));
	free(memory_steal(&path));
	path = put_file("core-1.img", "\xff");
	assert_null(early_images_read(temporary));
}

static void test_large(void **state)
{
	CLEANUP(memory_release) char *large = memory_allocate(20001, 1);
	CLEANUP(memory_release) char *path = NULL;

	(void)state;
	memset(large, 'a', 20000);
	path = put_file("pages-1.img", large);
	assert_null(early_images_read(temporary));
}

static void test_many(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		CLEANUP(memory_release) char *name = memory_format("file-%d", i);
		CLEANUP(memory_release) char *path = put_file(name, "text");
		CLEANUP(json_release) json_object *files = early_images_read(temporary);

		assert_true((files != NULL) == (i < 8));
	}
}

static void test_not_there(void **state)
{
	(void)state;
	assert_null(early_images_read("/nonexistent"));
}

static void assert_refused(const char *json)
{
	CLEANUP(json_release) json_object *files = json_tokener_parse(json);
	struct error err = { 0 };

	assert_non_null(files);
	assert_int_equal(early_images_write(temporary, files, &err), -1);
	assert_string_not_equal(err.text, "");
}

static void test_hostile(void **state)
{
	CLEANUP(memory_release) char *long_name = memory_allocate(301, 1);
	CLEANUP(memory_release) char *long_text = memory_allocate(20001, 1);
	CLEANUP(memory_release) char *names = NULL;
	CLEANUP(memory_release) char *texts = NULL;

	(void)state;
	memset(long_name, 'n', 300);
	memset(long_text, 't', 20000);
	names = memory_format("{\"%s\": \"\"}", long_name);
	texts = memory_format("{\"name\": \"%s\"}", long_text);
	assert_refused("{\"../outside\": \"text\"}");
	assert_refused("{\"a/b\": \"text\"}");
	assert_refused("{\".hidden\": \"text\"}");
	assert_refused("{\"..\": \"text\"}");
	assert_refused("{\"\": \"text\"}");
	assert_refused("{\"name\": 1}");
	assert_refused("{\"name\": null}");
	assert_refused("{\"name\": {\"name\": \"text\"}}");
	assert_refused("{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":"
		       "\"\",\"8\":\"\",\"9\":\"\"}");
	assert_refused(names);
	assert_refused(texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_they_arrive), FILE_TEST(test_none), FILE_TEST(test_no_texts),
		FILE_TEST(test_large),	     FILE_TEST(test_many), FILE_TEST(test_not_there),
		FILE_TEST(test_hostile),
	};

	return RUN_ALL(tests);
}
