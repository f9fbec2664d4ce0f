/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A temporary directory of the test's own, for tests of files: set up and torn down around each. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "unit.h"

#define TEMPORARY_TEMPLATE "/tmp/vzmigrate-test.XXXXXX"

static char temporary[sizeof(TEMPORARY_TEMPLATE)];

static inline int make_temporary(void **state)
{
	(void)state;
	memcpy(temporary, TEMPORARY_TEMPLATE, sizeof(temporary));
	return mkdtemp(temporary) != NULL ? 0 : -1;
}

static inline int remove_temporary(void **state)
{
	struct error err = { 0 };

	(void)state;
	return file_remove_tree(temporary, &err);
}

/* The path of a name in it; the caller frees. */
static inline char *in_temporary(const char *name)
{
	return memory_format("%s/%s", temporary, name);
}

/* Makes a directory in it and returns its path; the caller frees. */
static inline char *make_directory(const char *name)
{
	char *path = in_temporary(name);

	assert_int_equal(mkdir(path, 0700), 0);
	return path;
}

/* Writes these bytes to a file in it and returns its path; the caller frees. */
static inline char *put_bytes(const char *name, const void *bytes, size_t length)
{
	CLEANUP(text_release) struct text content = { 0 };
	char *path = in_temporary(name);
	struct error err = { 0 };

	text_append(&content, bytes, length);
	assert_int_equal(file_write(path, &content, 0644, &err), 0);
	return path;
}

static inline char *put_file(const char *name, const char *text)
{
	return put_bytes(name, text, strlen(text));
}

/* Does the file hold these bytes and no others? */
static inline void assert_file_is(const char *path, const void *bytes, size_t length)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct error err = { 0 };

	if (file_read(path, 1 << 24, &content, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(content.length, length);
	assert_memory_equal(text_string(&content), bytes, length);
}

#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, make_temporary, remove_temporary)

#endif
