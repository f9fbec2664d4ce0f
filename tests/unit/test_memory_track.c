// SPDX-License-Identifier: GPL-2.0-or-later
/* What counts as changed in the memory of a process: all that was, and hardly more; and what stays behind. */
#include <dirent.h>
#include <fcntl.h>

#include "memory_track_unit.h"
#include "system/proc.h"

static void write_some(void)
{
	for (size_t i = 0; i < PAGES; i += 3)
		OTHER[i * PAGE] = 77;
}

/* For a file: the kernel writes, not the process. */
static void read_into(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (read(fd, PLACE + 100 * PAGE, PAGE) <= 0)
		_exit(9);
	close(fd);
}

static void test_a_write_is_a_change(void **state)
{
	static void (*const parts[])(void) = { write_one, write_some, read_into };
	struct memory_track track;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_WRITES))
		return;
	scan(&track);
	assert_changed(0, 2 * PAGES);
	scan(&track);
	assert_not_changed(0, 2 * PAGES);
	let_do(1);
	scan(&track);
	assert_changed(7, 8);
	assert_not_changed(0, 7);
	assert_not_changed(8, 2 * PAGES);
	let_do(2);
	scan(&track);
	assert_not_changed(0, PAGES);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(found.changed[PAGES + i], i % 3 == 0);
	let_do(3);
	scan(&track);
	assert_changed(100, 101);
	assert_not_changed(101, 2 * PAGES);
	end(&track);
}

static void become_huge(void)
{
	size_t huge = (size_t)2 << 20;

	munmap(PLACE, SIZE);
	munmap(OTHER, SIZE);
	map(PLACE, huge);
	madvise(PLACE, huge, MADV_HUGEPAGE);
	fill(PLACE, SIZE, 1);
}

/* A byte of a huge page is a small page. */
static void test_huge_pages(void **state)
{
	static void (*const parts[])(void) = { become_huge, write_one };
	struct memory_track track;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_WRITES))
		return;
	let_do(1);
	scan(&track);
	assert_changed(0, PAGES);
	scan(&track);
	assert_not_changed(0, PAGES);
	let_do(2);
	scan(&track);
	assert_changed(7, 8);
	assert_not_changed(8, PAGES);
	end(&track);
}

static void test_nothing_noticed_is_changed(void **state)
{
	static void (*const parts[])(void) = { write_one };
	struct memory_track track = begin(parts, TRACK_NOTHING);

	(void)state;
	for (int i = 0; i < 2; i++) {
		scan(&track);
		assert_changed(0, 2 * PAGES);
	}
	scan_last(&track);
	assert_changed(0, 2 * PAGES);
	end(&track);
}

/* In each round all counts as changed, the last scan knows better. */
static void test_soft_dirty(void **state)
{
	static void (*const parts[])(void) = { write_one };
	struct memory_track track;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_SOFT_DIRTY))
		return;
	scan_last(&track);
	assert_changed(0, 2 * PAGES);
	scan(&track);
	assert_changed(0, 2 * PAGES);
	let_do(1);
	scan_last(&track);
	assert_changed(7, 8);
	assert_no_change(PAGES, 2 * PAGES);
	end(&track);
}

/* After it nothing is different from a process that was never followed. */
static void test_it_leaves_nothing_behind(void **state)
{
	static void (*const parts[])(void) = { write_one };
	CLEANUP(text_release) struct text smaps = { 0 };
	CLEANUP(memory_release) char *path = NULL;
	struct memory_track track;
	struct dirent *entry;
	DIR *descriptors;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_WRITES))
		return;
	scan(&track);
	assert_true(proc_read(child, "smaps", &smaps));
	assert_non_null(strstr(text_string(&smaps), " uw"));
	path = memory_format("/proc/%d/fd", (int)child);
	descriptors = opendir(path);
	assert_non_null(descriptors);
	while ((entry = readdir(descriptors)) != NULL) {
		CLEANUP(memory_release) char *link = memory_format("fd/%s", entry->d_name);
		char target[100];

		proc_link(child, link, target, sizeof(target));
		assert_null(strstr(target, "userfault"));
	}
	closedir(descriptors);
	let_do(1);
	scan_last(&track);
	assert_changed(7, 8);
	assert_no_change(8, 2 * PAGES);
	memory_track_release(&track);
	assert_true(proc_read(child, "smaps", &smaps));
	assert_null(strstr(text_string(&smaps), " uw"));
	let_do(1);
	end(&track);
}

static void test_who_has_ended_has_nothing(void **state)
{
	struct memory_track track = MEMORY_TRACK_NONE;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	usleep(20000);
	track.pid = pid;
	track.method = memory_track_probe();
	/* As a zombie, and then not even that. */
	for (int i = 0; i < 2; i++) {
		scan(&track);
		assert_int_equal(found.count, 0);
		waitpid(pid, NULL, 0);
	}
	memory_track_release(&track);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_write_is_a_change),
		cmocka_unit_test(test_huge_pages),
		cmocka_unit_test(test_nothing_noticed_is_changed),
		cmocka_unit_test(test_soft_dirty),
		cmocka_unit_test(test_it_leaves_nothing_behind),
		cmocka_unit_test(test_who_has_ended_has_nothing),
	};

	return RUN_ALL(tests);
}
