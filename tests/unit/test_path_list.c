// SPDX-License-Identifier: GPL-2.0-or-later
/* What changed, and the list that is made of it: nothing is missing, and the memory has bounds. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "system/path_list.h"
#include "temporary.h"

static struct watched_root root;
static struct error err;

/* In these tests a handle is the path itself. */
static char *resolve(const struct watched_root *at, const void *handle, size_t length)
{
	CLEANUP(memory_release)
	char *full = memory_format("%s/%.*s", at->path, (int)length, (const char *)handle);

	if (access(full, F_OK) < 0)
		return NULL;
	return memory_format("%.*s", (int)length, (const char *)handle);
}

static int find(const struct watched_root *at, const void *handle, size_t length,
		struct stat *status)
{
	CLEANUP(memory_release)
	char *full = memory_format("%s/%.*s", at->path, (int)length, (const char *)handle);

	return lstat(full, status);
}

static struct path_list new_list(void)
{
	return (struct path_list){
		.root = &root,
		.resolve = resolve,
		.find = find,
		.home = root.path,
	};
}

static int set_up(void **state)
{
	if (make_temporary(state) < 0)
		return -1;
	root = (struct watched_root){ .fd = -1, .path = temporary };
	return 0;
}

static int tear_down(void **state)
{
	path_changes_release(&root.changes);
	return remove_temporary(state);
}

static void note(const char *directory, const char *name, bool appeared)
{
	path_changes_add(&root.changes, directory, strlen(directory), name, appeared);
}

static void make(const char *path)
{
	CLEANUP(memory_release) char *full = in_temporary(path);

	if (text_ends_with(path, "/"))
		assert_int_equal(mkdir(full, 0755), 0);
	else
		free(put_file(path, path));
}

static void make_link(const char *old, const char *new)
{
	CLEANUP(memory_release) char *from = in_temporary(old);
	CLEANUP(memory_release) char *to = in_temporary(new);

	assert_int_equal(link(from, to), 0);
}

/* How often the line is in the list. */
static size_t lines(const struct text *list, const char *line)
{
	size_t count = 0;

	for (size_t at = 0; at < list->length; at += strlen(list->bytes + at) + 1)
		count += strcmp(list->bytes + at, line) == 0;
	return count;
}

static void names_and_their_directory_are_listed(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();

	(void)state;
	make("d/");
	make("d/new");
	make("other");
	note("d", "new", false);
	note("d", "deleted", false);
	note("gone", "x", false);
	assert_int_equal(path_list_make(&list, NULL, &err), 0);
	assert_int_equal(lines(&list.paths, "d"), 1);
	assert_int_equal(lines(&list.paths, "d/new"), 1);
	assert_int_equal(lines(&list.paths, "d/deleted"), 1);
	assert_int_equal(lines(&list.paths, "other"), 0);
	assert_int_equal(lines(&list.paths, "gone/x"), 0);
	assert_int_equal(lines(&list.compared, "d/new"), 1);
	assert_int_equal(lines(&list.compared, "d"), 0);
	assert_false(list.walked);
}

static void what_appeared_is_listed_with_all_that_is_in_it(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();

	(void)state;
	make("d/");
	make("d/e/");
	make("d/e/f");
	make("k/");
	make("k/unchanged");
	note(".", "d", true);
	note(".", "k", false);
	assert_int_equal(path_list_make(&list, NULL, &err), 0);
	/* The slash: nothing else may be there. */
	assert_int_equal(lines(&list.paths, "d/"), 1);
	assert_int_equal(lines(&list.paths, "d/e/"), 1);
	assert_int_equal(lines(&list.paths, "d/e/f"), 1);
	assert_int_equal(lines(&list.paths, "k"), 1);
	assert_int_equal(lines(&list.paths, "k/unchanged"), 0);
}

static void other_names_of_a_file_are_found(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();

	(void)state;
	make("d/");
	make("d/a");
	make("e/");
	make_link("d/a", "e/b");
	note("d", "a", false);
	assert_int_equal(path_list_make(&list, NULL, &err), 0);
	assert_true(list.walked);
	assert_int_equal(lines(&list.paths, "e/b"), 1);
	assert_true(lines(&list.paths, "d/a") >= 1);
}

static void no_walk_when_all_names_are_listed(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();

	(void)state;
	make("a");
	make_link("a", "b");
	note(".", "a", false);
	note(".", "b", false);
	assert_int_equal(path_list_make(&list, NULL, &err), 0);
	assert_false(list.walked);
}

static void a_file_changed_under_a_lost_name_is_found(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();

	(void)state;
	make("d/");
	make("d/kept");
	note(".", "lost", false);
	path_changes_add_file(&root.changes, "d/kept", 6);
	assert_int_equal(path_list_make(&list, NULL, &err), 0);
	assert_int_equal(lines(&list.paths, "d/kept"), 1);
}

static void open_files_are_listed_and_mapped_ones_compared(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();
	CLEANUP(open_files_release) struct open_files open = { 0 };
	CLEANUP(memory_release) char *path = NULL;
	CLEANUP(descriptor_close) int fd = -1;

	(void)state;
	make("log");
	make("idle");
	path = in_temporary("log");
	fd = openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 2 * PATH_LIST_SMALL), 0);
	open_files_add(&open, getpid());
	/* The path of the process begins where home ends; here it is the whole one. */
	list.home = "";
	list.begun = INT64_MAX;
	assert_int_equal(path_list_make(&list, &open, &err), 0);
	assert_int_equal(lines(&list.paths, "log"), 1);
	assert_int_equal(lines(&list.compared, "log"), 0);
	assert_int_equal(lines(&list.paths, "idle"), 0);
	path_list_release(&list);

	for (size_t i = 0; i < open.count; i++)
		open.items[i].mapped = true;
	list = new_list();
	list.home = "";
	assert_int_equal(path_list_make(&list, &open, &err), 0);
	assert_true(lines(&list.compared, "log") >= 1);
}

static void a_directory_of_very_many_names_is_listed_as_a_whole(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();
	char name[32];

	(void)state;
	make("d/");
	make("d/kept");
	make("d/made/");
	make("d/made/in");
	note("d", "made", true);
	for (int i = 0; i <= CHANGED_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "gone%d", i);
		note("d", name, false);
	}
	assert_true(root.changes.names < 10);
	assert_int_equal(path_list_make(&list, NULL, &err), 0);
	assert_int_equal(lines(&list.paths, "d/"), 1);
	assert_int_equal(lines(&list.paths, "d/kept"), 1);
	assert_int_equal(lines(&list.paths, "d/made/"), 1);
	assert_int_equal(lines(&list.paths, "d/made/in"), 1);
}

static void too_many_directories_are_said_to_be_lost(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();
	char name[32];

	(void)state;
	for (int i = 0; i <= CHANGED_DIRECTORIES_MAX; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		note(name, "x", false);
	}
	assert_non_null(root.changes.lost);
	assert_int_equal(root.changes.directories.count, 0);
	assert_int_equal(path_list_make(&list, NULL, &err), -1);
	/* Nothing is remembered until somebody has looked at everything. */
	note("d", "x", false);
	assert_int_equal(root.changes.directories.count, 0);
}

static void during_the_dump_only_what_was_made_counts(void **state)
{
	CLEANUP(path_list_release) struct path_list list = new_list();
	CLEANUP(memory_release) char *home = memory_format("%s/d", root.path);

	(void)state;
	list.home = home;
	make("d/");
	make("config");
	note(".", "config", false);
	make("other/");
	make("other/x");
	note("other", "x", false);
	make("d/link_remap.1");
	note("d", "link_remap.1", false);
	note("d", "cr-tmpfs.x", true);
	list.only_made = true;
	assert_int_equal(path_list_make(&list, NULL, &err), 0);
	assert_int_equal(lines(&list.paths, "d/link_remap.1"), 1);
	assert_int_equal(lines(&list.paths, "d"), 0);
	assert_int_equal(lines(&list.paths, "d/cr-tmpfs.x"), 0);
	/* The copy is in its place by then: its configuration is that of the destination. */
	assert_int_equal(lines(&list.paths, "config"), 0);
	assert_int_equal(lines(&list.paths, "other/x"), 0);
}

#define LIST_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIST_TEST(names_and_their_directory_are_listed),
		LIST_TEST(what_appeared_is_listed_with_all_that_is_in_it),
		LIST_TEST(other_names_of_a_file_are_found),
		LIST_TEST(no_walk_when_all_names_are_listed),
		LIST_TEST(a_file_changed_under_a_lost_name_is_found),
		LIST_TEST(open_files_are_listed_and_mapped_ones_compared),
		LIST_TEST(a_directory_of_very_many_names_is_listed_as_a_whole),
		LIST_TEST(too_many_directories_are_said_to_be_lost),
		LIST_TEST(during_the_dump_only_what_was_made_counts),
	};

	return RUN_ALL(tests);
}
