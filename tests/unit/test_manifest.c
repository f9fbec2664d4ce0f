// SPDX-License-Identifier: GPL-2.0-or-later
/* A set of images: complete, short, lacking one, with one too many. */
#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "node/manifest.h"
#include "temporary.h"

/* A temporary directory with two images and a log, and their manifest. */
static json_object *make_images(void)
{
	CLEANUP(memory_release) char *pages = put_file("pages-1.img", "pages");
	CLEANUP(memory_release) char *core = put_file("core-1.img", "");
	CLEANUP(memory_release) char *log = put_file("dump.log", "said");
	struct error err = { 0 };
	json_object *manifest = manifest_make(temporary, &err);

	assert_non_null(manifest);
	return manifest;
}

static void assert_refused(json_object *manifest, const char *named)
{
	struct error err = { 0 };

	assert_int_equal(manifest_check(temporary, manifest, &err), -1);
	assert_int_equal(err.exit_status, EXIT_COPY);
	assert_non_null(strstr(err.text, named));
}

static void test_complete(void **state)
{
	CLEANUP(json_release) json_object *manifest = make_images();
	CLEANUP(memory_release) char *log = put_file("dump.log", "said and said more");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(json_object_object_length(manifest), 2);
	assert_int_equal(manifest_check(temporary, manifest, &err), 0);
}

static void test_short(void **state)
{
	CLEANUP(json_release) json_object *manifest = make_images();
	CLEANUP(memory_release) char *pages = put_file("pages-1.img", "page");

	(void)state;
	assert_refused(manifest, "pages-1.img");
}

static void test_missing(void **state)
{
	CLEANUP(json_release) json_object *manifest = make_images();
	CLEANUP(memory_release) char *core = in_temporary("core-1.img");

	(void)state;
	assert_int_equal(remove(core), 0);
	assert_refused(manifest, "core-1.img");
}

static void test_another(void **state)
{
	CLEANUP(json_release) json_object *manifest = make_images();
	CLEANUP(memory_release) char *core = put_file("core-2.img", "");

	(void)state;
	assert_refused(manifest, "core-2.img");
}

static void test_no_directory(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(manifest_make("/nowhere", &err));
	assert_non_null(strstr(err.text, "/nowhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_complete), FILE_TEST(test_short),	FILE_TEST(test_missing),
		FILE_TEST(test_another),  FILE_TEST(test_no_directory),
	};

	return RUN_ALL(tests);
}
