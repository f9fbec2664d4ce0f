// SPDX-License-Identifier: GPL-2.0-or-later
/* Files: replaced whole or not at all, renamed over nothing, trees removed without following links. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary.h"

static struct error err;

static size_t count_entries(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count - 2;
}

static void test_plain_paths(void **state)
{
	static const char *const plain[] = { "/a", "/a/b", "/.a", "/a..", "/...", "/a b/\n" };
	static const char *const other[] = {
		"",	"/",	 "a",  "a/b", "./a",  "//",    "//a",	 "/a/",
		"/a//", "/a//b", "/.", "/..", "/a/.", "/a/..", "/a/./b", "/a/../b",
	};
	char longest[257] = "/";
	char deep[4097];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(plain); i++)
		if (!file_path_is_plain(plain[i]))
			fail_msg("'%s' is not plain", plain[i]);
	for (size_t i = 0; i < COUNT_OF(other); i++)
		if (file_path_is_plain(other[i]))
			fail_msg("'%s' is plain", other[i]);
	memset(longest + 1, 'x', 255);
	assert_true(file_path_is_plain(longest));
	for (size_t i = 0; i < sizeof(deep) - 1; i++)
		deep[i] = i % 2 == 0 ? '/' : 'x';
	deep[4096] = '\0';
	assert_false(file_path_is_plain(deep));
	deep[4094] = '\0';
	assert_true(file_path_is_plain(deep));
}

static void test_a_name_of_256_bytes_is_not_plain(void **state)
{
	char name[258] = "/";

	(void)state;
	memset(name + 1, 'x', 256);
	assert_false(file_path_is_plain(name));
}

static void test_parents_and_what_is_below(void **state)
{
	static const char *const parents[][2] = {
		{ "/a/b", "/a" }, { "/a", "/" }, { "a", "." }, { "a/b", "a" }
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(parents); i++) {
		CLEANUP(memory_release) char *parent = file_parent(parents[i][0]);

		assert_string_equal(parent, parents[i][1]);
	}
	assert_true(file_path_below("/a/b", "/a/b"));
	assert_true(file_path_below("/a/b/c", "/a/b"));
	assert_false(file_path_below("/a/bc", "/a/b"));
	assert_false(file_path_below("/a", "/a/b"));
}

static void test_reading_has_a_limit(void **state)
{
	CLEANUP(memory_release) char *path = put_bytes("f", "ab\0cd", 5);
	CLEANUP(memory_release) char *missing = in_temporary("missing");
	CLEANUP(text_release) struct text content = { 0 };
	CLEANUP(text_release) struct text too_much = { 0 };

	(void)state;
	assert_int_equal(file_read(path, 5, &content, &err), 0);
	assert_int_equal(content.length, 5);
	assert_int_equal(file_read(path, 4, &too_much, &err), -1);
	assert_int_equal(file_read(missing, 4, &too_much, &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(file_read(temporary, 4, &too_much, &err), -1);
}

/* Who has the old file open keeps the old bytes: they are never written over. */
static void test_writing_replaces_the_whole_file(void **state)
{
	CLEANUP(memory_release) char *path = put_file("f", "old content");
	CLEANUP(text_release) struct text content = { 0 };
	FILE *old = fopen(path, "re");
	struct stat info;
	char line[32];

	(void)state;
	assert_non_null(old);
	text_append(&content, "new", 3);
	assert_int_equal(file_write(path, &content, 0640, &err), 0);
	assert_file_is(path, "new", 3);
	assert_non_null(fgets(line, sizeof(line), old));
	assert_string_equal(line, "old content");
	fclose(old);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0640);
	assert_int_equal(count_entries(temporary), 1);
}

static void test_failed_writing_leaves_nothing(void **state)
{
	CLEANUP(memory_release) char *directory = in_temporary("d");
	CLEANUP(memory_release) char *inside = put_file("x", "x");
	CLEANUP(memory_release) char *nowhere = in_temporary("no/f");
	struct text content = { 0 };

	(void)state;
	assert_int_equal(mkdir(directory, 0755), 0);
	assert_int_equal(file_write(directory, &content, 0644, &err), -1);
	assert_int_equal(file_write(nowhere, &content, 0644, &err), -1);
	assert_int_equal(count_entries(temporary), 2);
}

static void test_writing_does_not_follow_a_planted_link(void **state)
{
	CLEANUP(memory_release) char *victim = put_file("victim", "precious");
	CLEANUP(memory_release) char *path = in_temporary("f");
	CLEANUP(memory_release) char *planted = in_temporary("f.new");
	struct text content = { 0 };

	(void)state;
	assert_int_equal(symlink(victim, planted), 0);
	assert_int_equal(file_write(path, &content, 0644, &err), -1);
	assert_file_is(victim, "precious", 8);
}

static void test_making_directories(void **state)
{
	CLEANUP(memory_release) char *directory = in_temporary("d");
	CLEANUP(memory_release) char *file = put_file("f", "");
	struct stat info;

	(void)state;
	assert_int_equal(file_make_directory(directory, 0751, &err), 1);
	assert_int_equal(stat(directory, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0751);
	assert_int_equal(file_make_directory(directory, 0700, &err), 0);
	assert_int_equal(stat(directory, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0751);
	assert_int_equal(file_make_directory(file, 0700, &err), -1);
}

static void test_renaming_never_overwrites(void **state)
{
	CLEANUP(memory_release) char *from = put_file("from", "from");
	CLEANUP(memory_release) char *file = put_file("file", "file");
	CLEANUP(memory_release) char *directory = in_temporary("directory");
	CLEANUP(memory_release) char *dangling = in_temporary("dangling");
	CLEANUP(memory_release) char *free_name = in_temporary("directory/to");
	const char *const taken[] = { file, directory, dangling, from };

	(void)state;
	assert_int_equal(mkdir(directory, 0755), 0);
	assert_int_equal(symlink("/nowhere", dangling), 0);
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		assert_int_equal(file_rename(from, taken[i], &err), -1);
		assert_int_equal(errno, EEXIST);
		assert_true(file_exists(taken[i]));
	}
	assert_file_is(from, "from", 4);
	assert_file_is(file, "file", 4);
	assert_int_equal(file_rename(from, free_name, &err), 0);
	assert_file_is(free_name, "from", 4);
	assert_false(file_exists(from));
}

static void test_removing_a_tree_follows_no_link(void **state)
{
	CLEANUP(memory_release) char *outside = in_temporary("outside");
	CLEANUP(memory_release) char *tree = in_temporary("tree");
	CLEANUP(memory_release) char *deeper = in_temporary("tree/deeper");
	CLEANUP(memory_release) char *to_directory = in_temporary("tree/deeper/directory");
	CLEANUP(memory_release) char *to_file = in_temporary("tree/deeper/file");
	CLEANUP(memory_release) char *to_nothing = in_temporary("tree/deeper/nothing");
	CLEANUP(memory_release) char *loop = in_temporary("tree/deeper/loop");
	CLEANUP(memory_release) char *fifo = in_temporary("tree/fifo");
	CLEANUP(memory_release) char *kept = NULL;
	CLEANUP(memory_release) char *removed = NULL;

	(void)state;
	assert_int_equal(mkdir(outside, 0755), 0);
	assert_int_equal(mkdir(tree, 0755), 0);
	assert_int_equal(mkdir(deeper, 0555), 0);
	kept = put_file("outside/kept", "kept");
	removed = put_file("tree/deeper/removed", "");
	assert_int_equal(symlink(outside, to_directory), 0);
	assert_int_equal(symlink(kept, to_file), 0);
	assert_int_equal(symlink("/nowhere", to_nothing), 0);
	assert_int_equal(symlink("..", loop), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	if (file_remove_tree(tree, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(file_exists(tree));
	assert_file_is(kept, "kept", 4);
	assert_int_equal(file_remove_tree(tree, &err), 0);
}

static void test_removing_a_link_leaves_what_it_names(void **state)
{
	CLEANUP(memory_release) char *directory = in_temporary("directory");
	CLEANUP(memory_release) char *link = in_temporary("link");
	CLEANUP(memory_release) char *kept = NULL;

	(void)state;
	assert_int_equal(mkdir(directory, 0755), 0);
	kept = put_file("directory/kept", "kept");
	assert_int_equal(symlink(directory, link), 0);
	assert_int_equal(file_remove_tree(link, &err), 0);
	assert_false(file_exists(link));
	assert_file_is(kept, "kept", 4);
}

/* In a child with its own mounts: 0 when the mount stopped the removal, 1 when not, 2: may not mount. */
static int remove_with_mount(const char *tree, const char *mounted)
{
	struct error failure = { 0 };

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", mounted, "tmpfs", 0, NULL) < 0)
		return 2;
	return file_remove_tree(tree, &failure) < 0 && strstr(failure.text, "mounted") != NULL ? 0
											       : 1;
}

static void test_removing_stops_at_a_mount(void **state)
{
	CLEANUP(memory_release) char *tree = in_temporary("tree");
	CLEANUP(memory_release) char *mounted = in_temporary("tree/mounted");
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(mkdir(tree, 0755), 0);
	assert_int_equal(mkdir(mounted, 0755), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(remove_with_mount(tree, mounted));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(file_exists(mounted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_paths),
		cmocka_unit_test(test_a_name_of_256_bytes_is_not_plain),
		cmocka_unit_test(test_parents_and_what_is_below),
		FILE_TEST(test_reading_has_a_limit),
		FILE_TEST(test_writing_replaces_the_whole_file),
		FILE_TEST(test_failed_writing_leaves_nothing),
		FILE_TEST(test_writing_does_not_follow_a_planted_link),
		FILE_TEST(test_making_directories),
		FILE_TEST(test_renaming_never_overwrites),
		FILE_TEST(test_removing_a_tree_follows_no_link),
		FILE_TEST(test_removing_a_link_leaves_what_it_names),
		FILE_TEST(test_removing_stops_at_a_mount),
	};

	return RUN_ALL(tests);
}
