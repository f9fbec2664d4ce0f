// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that has not come yet when the processes run already: they wait for it, what they wait for is asked for,
 * and in the end they have it all, or are ended. */
#include <stdlib.h>
#include <sys/wait.h>

#include "feeder.h"

#define COUNT ((size_t)2)

/* It, and a child, read some here and there, which is asked for; and then all. */
static int life_of_reading(size_t process)
{
	int status;
	pid_t child;

	if (check_area(process, process, 97) < 0)
		return -1;
	shared->progress++;
	child = fork();
	if (child == 0)
		_exit(check_area(process, process, 89) < 0);
	if (wait_until(&shared->proceed, 1) < 0 || check_area(process, process, 1) < 0)
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

	restore_early(COUNT, life);
	say_finished();
	await_restored(&shared->progress, COUNT);
	assert_true(shared->wanted > 0);
	assert_int_equal(read_state(&record), MEMORY_WORKING);
	shared->proceed = 1;
	shared->may_feed = 1;
	assert_all_end(COUNT, 0);
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
	(void)state;
	restore_early(COUNT, life_of_reading);
	say_finished();
	await_restored(&shared->progress, COUNT);
	kill(feeder.pid, SIGKILL);
	assert_ends(&feeder, 128 + SIGKILL);
	shared->proceed = 1;
	await_state(MEMORY_FAILING, "connection");
	usleep(100000);
	shared->may_end = 1;
	assert_all_end(COUNT, 128 + SIGKILL);
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
	restore_all(1, life_of_reading);
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
