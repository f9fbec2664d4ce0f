// SPDX-License-Identifier: GPL-2.0-or-later
/* Giving restored processes their memory, with the kernel's real userfaultfds: whatever they do meanwhile, and
 * whoever dies, no process ever sees a byte that is not its own. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "restored.h"

#define THREADS 4

/* All pages once, in an order that no readahead guesses. */
static size_t scattered(size_t i, size_t start)
{
	return (i * 1277 + start) % AREA_PAGES;
}

static int read_all(size_t process, size_t start)
{
	for (size_t i = 0; i < AREA_PAGES; i++) {
		size_t page = scattered(i, start);

		if (check_page(page_at(page), page_id(process, page)) < 0)
			return -1;
	}
	return 0;
}

static int life_of_reading(size_t process)
{
	return read_all(process, process);
}

/* Everything from the beginning to the record, of processes that live so, and have ended when criu finishes, or
 * begin to live as it does. */
static void run_once(size_t count, restored_life *life, bool unasked)
{
	struct memory_record record;

	for (size_t i = 0; i < count; i++)
		write_memory(i);
	restore_all(count, life);
	if (unasked)
		say_finished();
	assert_all_end(count, 0);
	if (!unasked)
		say_finished();
	assert_ends(&guard, 0);
	assert_int_equal(read_state(&record), MEMORY_FILLED);
	assert_int_equal(shared->ended, 0);
	if (!unasked)
		assert_true(record.filled.count.faults > 0);
	assert_int_equal(unlink(record_path), 0);
}

/* Once with nothing but what is asked for, and once with all coming at the same time. */
static void run(size_t count, restored_life *life)
{
	run_once(count, life, false);
	run_once(count, life, true);
}

static void test_reading(void **state)
{
	CLEANUP(memory_release) char *store = NULL;
	struct stat status;

	(void)state;
	run(PROCESSES, life_of_reading);
	/* Nothing is there twice. */
	store = memory_format("%s/100", memory);
	assert_int_equal(stat(store, &status), 0);
	assert_int_equal(status.st_blocks, 0);
}

/* What is not touched arrives as well, and nobody waits for it. */
static int life_of_waiting(size_t process)
{
	unsigned char resident[AREA_PAGES];

	for (int i = 0; i < LIMIT_MS; i++) {
		size_t count = 0;

		usleep(1000);
		if (mincore(area, AREA_PAGES * page_bytes, resident) < 0)
			return FAIL("cannot ask for pages");
		for (size_t page = 0; page < AREA_PAGES; page++)
			count += page_id(process, page) == 0 || (resident[page] & 1) != 0;
		if (count < AREA_PAGES)
			continue;
		shared->progress++;
		return wait_until(&shared->proceed, 1) < 0 ? -1 : read_all(process, 0);
	}
	return FAIL("not everything has come");
}

static void test_not_touching(void **state)
{
	struct memory_record record;

	(void)state;
	write_memory(0);
	restore_all(1, life_of_waiting);
	usleep(50000);
	/* Until criu has finished nothing comes unasked. */
	assert_int_equal(shared->progress, 0);
	say_finished();
	assert_int_equal(wait_until(&shared->progress, 1), 0);
	assert_ends(&guard, 0);
	shared->proceed = 1;
	assert_ends(&restored[0], 0);
	assert_int_equal(read_state(&record), MEMORY_FILLED);
	assert_int_equal(record.filled.count.faults, 0);
	assert_true(record.filled.count.bytes > AREA_PAGES / 2 * page_bytes);
}

/* criu's restorer touches memory before all is handed over. */
static int life_of_early_reading(size_t process)
{
	if (check_area(process, 0, 64) < 0)
		return -1;
	shared->progress++;
	return wait_until(&shared->finished, 1) < 0 ? -1 : read_all(process, 77);
}

static void test_early_reading(void **state)
{
	(void)state;
	write_memory(0);
	write_memory(1);
	restore_all(1, life_of_early_reading);
	assert_int_equal(wait_until(&shared->progress, 1), 0);
	restore_one(1, life_of_early_reading);
	assert_int_equal(wait_until(&shared->progress, 2), 0);
	say_finished();
	assert_all_end(2, 0);
	assert_ends(&guard, 0);
}

static void *thread_main(void *data)
{
	return (void *)(intptr_t)read_all(0, (size_t)(intptr_t)data);
}

/* Some want the same pages at once, and some others. */
static int life_of_threads(size_t process)
{
	pthread_t threads[THREADS];
	intptr_t failed = 0;

	(void)process;
	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread_main, (void *)(i / 2 * 1000)) != 0)
			return FAIL("no thread");
	for (size_t i = 0; i < THREADS; i++) {
		void *outcome;

		pthread_join(threads[i], &outcome);
		failed |= (intptr_t)outcome;
	}
	return (int)failed;
}

static void test_threads(void **state)
{
	(void)state;
	run(1, life_of_threads);
}

/* Children, and theirs, see what the parent had, and what it writes afterwards they do not. */
static int life_of_forks(size_t process)
{
	int status;

	for (size_t i = 0; i < 6; i++) {
		pid_t child = fork();

		if (child == 0 && (i == 5 ? fork() : 0) >= 0)
			_exit(read_all(process, 500 * i) < 0);
		/* Behind those that the children still read as they were, one after the other. */
		if (i == 5)
			for (size_t page = 0; page < AREA_PAGES; page++)
				fill_page(page_at(page), 5);
	}
	for (size_t page = 0; page < AREA_PAGES; page++)
		if (check_page(page_at(page), 5) < 0)
			return -1;
	while (wait(&status) > 0)
		if (status != 0)
			return shared->failure[0] != '\0' ? -1 : FAIL("a child died: %d", status);
	return 0;
}

static void test_forks(void **state)
{
	(void)state;
	run(2, life_of_forks);
}

/* A child that executes, or ends, at once has no memory any more, and nobody waits for it. */
static int life_of_short_children(size_t process)
{
	for (size_t i = 0; i < 50; i++) {
		pid_t child = fork();
		int status;

		if (child == 0 && i % 2 == 0)
			_exit(0);
		if (child == 0)
			_exit(execl("/bin/true", "true", (char *)NULL));
		if (waitpid(child, &status, 0) != child || status != 0)
			return FAIL("a child died: %d", status);
	}
	return read_all(process, 0);
}

static void test_short_children(void **state)
{
	(void)state;
	run(1, life_of_short_children);
}

/* One range of criu's is several mappings, some pages were there before, and some mappings are gone. */
static int life_in_pieces(size_t process)
{
	for (size_t page = 0; page < AREA_PAGES; page += 10) {
		if (mprotect(page_at(page), 3 * page_bytes, PROT_READ) < 0)
			return FAIL("mprotect");
		if (page % 100 == 0 && munmap(page_at(page), page_bytes) < 0)
			return FAIL("munmap");
	}
	for (size_t page = 0; page < AREA_PAGES; page++)
		if (page % 100 != 0 && check_page(page_at(page), page_id(process, page)) < 0)
			return -1;
	return 0;
}

static void test_pieces(void **state)
{
	(void)state;
	run(2, life_in_pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESTORED_TEST(test_reading),	   RESTORED_TEST(test_not_touching),
		RESTORED_TEST(test_early_reading), RESTORED_TEST(test_threads),
		RESTORED_TEST(test_forks),	   RESTORED_TEST(test_short_children),
		RESTORED_TEST(test_pieces),
	};

	return RUN_ALL(tests);
}
