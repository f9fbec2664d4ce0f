// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that has not come yet when the processes run already: they wait for it, what they wait for is asked for,
 * and in the end they have it all, or are ended. */
#include <stdlib.h>
#include <sys/wait.h>

#include "feeder.h"

static size_t count = 2;

static int read_some(size_t process, size_t step)
{
	for (size_t page = process; page < AREA_PAGES; page += step)
		if (check_page(page_at(page), page_id(process, page)) < 0)
			return -1;
	return 0;
}

/* It, and a child, read some here and there, which is asked for; and then all. */
static int life_of_reading(size_t process)
{
	int status;
	pid_t child;

	if (read_some(process, 97) < 0)
		return -1;
	shared->progress++;
	child = fork();
	if (child == 0)
		_exit(read_some(process, 89) < 0);
	if (wait_until(&shared->proceed, 1) < 0 || read_some(process, 1) < 0)
		return -1;
	return waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

/* Moved, the pages are asked for where they were. */
static int life_of_moving(size_t process)
{
	unsigned char *moved = page_at(AREA_PAGES + 100);
	size_t bytes = 1000 * page_bytes;

	if (mremap(page_at(500), bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, moved) != moved)
		return FAIL("mremap");
	for (size_t page = 0; page < 1000; page += 31)
		if (check_page(moved + page * page_bytes, page_id(process, 500 + page)) < 0)
			return -1;
	shared->progress++;
	if (wait_until(&shared->proceed, 1) < 0)
		return -1;
	for (size_t page = 0; page < 1000; page++)
		if (check_page(moved + page * page_bytes, page_id(process, 500 + page)) < 0)
			return -1;
	return 0;
}

/* Nothing comes but what is wanted, until every process has read some; then all does. */
static void run(restored_life *life)
{
	struct memory_record record;

	for (size_t i = 0; i < count; i++) {
		write_memory(i);
		withhold_memory(i);
	}
	start_feeder(&count);
	start_guard();
	connect_criu();
	for (size_t i = 0; i < count; i++)
		restore_one(i, life);
	say_finished();
	await_restored(&shared->progress, count);
	assert_true(feeding->wanted > 0);
	assert_int_equal(read_state(&record), MEMORY_WORKING);
	shared->proceed = 1;
	feeding->may_feed = 1;
	for (size_t i = 0; i < count; i++)
		assert_ends(&restored[i], 0);
	assert_ends(&guard, 0);
	assert_int_equal(read_state(&record), MEMORY_FILLED);
	assert_ends(&feeder, 0);
	assert_string_equal(shared->failure, "");
}

static void test_reading(void **state)
{
	(void)state;
	run(life_of_reading);
}

static void test_moving(void **state)
{
	(void)state;
	run(life_of_moving);
}

/* Whoever brought it is gone: nobody goes on, and nobody finds zeros. */
static void test_the_rest_is_lost(void **state)
{
	struct memory_record record;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		write_memory(i);
		withhold_memory(i);
	}
	start_feeder(&count);
	start_guard();
	connect_criu();
	for (size_t i = 0; i < count; i++)
		restore_one(i, life_of_reading);
	say_finished();
	await_restored(&shared->progress, count);
	kill(feeder.pid, SIGKILL);
	assert_ends(&feeder, 128 + SIGKILL);
	shared->proceed = 1;
	while (read_state(&record) == MEMORY_WORKING)
		usleep(1000);
	assert_int_equal(record.state, MEMORY_FAILING);
	assert_non_null(strstr(record.reason.text, "connection"));
	usleep(100000);
	shared->may_end = 1;
	for (size_t i = 0; i < count; i++)
		assert_ends(&restored[i], 128 + SIGKILL);
	assert_ends(&guard, EXIT_COPY);
	assert_string_equal(shared->failure, "");
}

static void test_damaged_list(void **state)
{
	CLEANUP(memory_release) char *list = NULL;
	CLEANUP(descriptor_close) int fd = -1;
	struct memory_record record;

	(void)state;
	write_memory(0);
	withhold_memory(0);
	list = memory_format("%s/100%s", memory, IMAGE_MISSING_SUFFIX);
	fd = open(list, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	start_guard();
	connect_criu();
	restore_one(0, life_of_reading);
	assert_ends(&guard, EXIT_COPY);
	assert_int_equal(read_state(&record), MEMORY_FAILED);
	assert_non_null(strstr(record.reason.text, "100.missing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESTORED_TEST(test_reading),
		RESTORED_TEST(test_moving),
		RESTORED_TEST(test_the_rest_is_lost),
		RESTORED_TEST(test_damaged_list),
	};

	return RUN_ALL(tests);
}
