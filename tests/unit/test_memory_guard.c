// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that is missing never becomes zeros: whoever dies, at whatever moment, and whatever fails. Processes that
 * cannot get theirs wait until they are ended, and it is told why. */
#include <stdlib.h>
#include <sys/wait.h>

#include "restored.h"

/* Long enough for a page that would come, or for zeros that should not. */
#define A_WHILE_US 150000

/* Reads a page, waits to be let go on, and then it and a child of its own read all. */
static int life_in_two_parts(size_t process)
{
	pid_t child;
	int status;

	if (check_page(page_at(0), page_id(process, 0)) < 0)
		return -1;
	child = fork();
	shared->progress++;
	if (wait_until(&shared->proceed, 1) < 0)
		return -1;
	if (child == 0)
		_exit(check_area(process, 1500, 1) < 0);
	if (check_area(process, 1000, 1) < 0)
		return -1;
	return waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

/* Two processes, of which each has read one page. */
static void begin(void)
{
	shared->progress = 0;
	shared->proceed = 0;
	shared->finished = 0;
	shared->may_end = 0;
	for (size_t i = 0; i < 2; i++)
		write_memory(i);
	restore_all(2, life_in_two_parts);
	assert_int_equal(wait_until(&shared->progress, 4), 0);
}

/* Nobody gets anything: not what is there, and no zeros. */
static void assert_all_wait(void)
{
	shared->proceed = 1;
	usleep(A_WHILE_US);
	for (size_t i = 0; i < 2; i++) {
		int status;

		if (process_ended(&restored[i], &status) == 1)
			fail_msg("process %zu ended with %d: %s", i, status, shared->failure);
	}
	assert_string_equal(shared->failure, "");
}

static void assert_ended(const char *reason)
{
	assert_true(shared->ended > 0);
	shared->may_end = 1;
	await_state(MEMORY_FAILED, reason);
	assert_all_end(2, 128 + SIGKILL);
	assert_string_equal(shared->failure, "");
}

/* The worker is stopped, criu finishes, and the worker dies without having given much. */
static void finish_without_worker(void)
{
	pid_t worker = worker_of(guard.pid);

	kill(worker, SIGSTOP);
	say_finished();
	kill(worker, SIGKILL);
	await_state(MEMORY_FAILING, "status 137");
}

static void test_worker_dies(void **state)
{
	(void)state;
	begin();
	finish_without_worker();
	assert_all_wait();
	assert_int_equal(shared->done, 1);
	assert_ended("status 137");
	assert_ends(&guard, EXIT_COPY);
}

/* Then criu cannot finish: what it has restored never runs, and must not keep it from finding that out. */
static void test_worker_dies_before_the_end(void **state)
{
	struct memory_record record;

	(void)state;
	begin();
	kill(worker_of(guard.pid), SIGKILL);
	assert_ends(&guard, EXIT_COPY);
	assert_int_equal(read_state(&record), MEMORY_FAILED);
	assert_non_null(strstr(record.reason.text, "status 137"));
	assert_int_equal(send(criu, "FTSR", 4, MSG_NOSIGNAL), -1);
	shared->proceed = 1;
	/* They find what is not theirs, as criu's code may, but do not wait. */
	assert_all_end(2, 1);
	assert_int_equal(shared->done, 1);
	assert_int_equal(shared->ended, 0);
}

/* At any moment after the end of the restore: then either all was there, or nobody goes on. */
static void test_worker_dies_in_the_middle(void **state)
{
	int failed = 0;

	(void)state;
	for (unsigned int delay = 0; delay < 12; delay++) {
		struct memory_record record;
		pid_t worker;

		begin();
		worker = worker_of(guard.pid);
		shared->proceed = 1;
		say_finished();
		usleep(delay * 700);
		kill(worker, SIGKILL);
		while (read_state(&record) == MEMORY_WORKING)
			usleep(1000);
		if (record.state == MEMORY_FILLED) {
			assert_all_end(2, 0);
		} else {
			failed++;
			await_state(MEMORY_FAILING, "status 137");
			usleep(A_WHILE_US / 4);
			assert_string_equal(shared->failure, "");
			shared->may_end = 1;
			for (size_t i = 0; i < 2; i++) {
				struct error err;
				int status = process_wait(&restored[i], LIMIT_MS, &err);

				/* All of its own may have come before. */
				assert_true(status == 0 || status == 128 + SIGKILL);
				process_release(&restored[i]);
			}
		}
		assert_ends(&guard, record.state == MEMORY_FILLED ? 0 : EXIT_COPY);
		assert_int_equal(unlink(record_path), 0);
		assert_string_equal(shared->failure, "");
	}
	assert_true(failed > 0);
}

/* What criu handed over, and the worker has not even read, is kept as well. */
static void test_worker_dies_before_it_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		write_memory(i);
	start_guard();
	kill(worker_of(guard.pid), SIGSTOP);
	connect_criu();
	for (size_t i = 0; i < 2; i++)
		restore_one(i, life_in_two_parts);
	finish_without_worker();
	assert_all_wait();
	assert_int_equal(shared->progress, 0);
	assert_ended("status 137");
	assert_ends(&guard, EXIT_COPY);
}

static void test_guard_dies(void **state)
{
	(void)state;
	begin();
	kill(guard.pid, SIGKILL);
	assert_ends(&guard, 128 + SIGKILL);
	await_state(MEMORY_WORKING, NULL);
	shared->proceed = 1;
	usleep(10000);
	say_finished();
	assert_all_end(2, 0);
	await_state(MEMORY_FILLED, NULL);
}

/* Then the worker guards itself. */
static void test_guard_dies_and_worker_fails(void **state)
{
	(void)state;
	begin();
	kill(guard.pid, SIGKILL);
	assert_ends(&guard, 128 + SIGKILL);
	/* In one piece: it must not have the time to give anything. */
	assert_int_equal(send(criu, "FTSR\0\0\0\0", 8, 0), 8);
	await_state(MEMORY_FAILING, "process 0");
	assert_all_wait();
	assert_ended("process 0");
}

static void test_both_die(void **state)
{
	pid_t worker;

	(void)state;
	begin();
	worker = worker_of(guard.pid);
	kill(guard.pid, SIGKILL);
	kill(worker, SIGKILL);
	await_state(MEMORY_FAILED, "not to be trusted");
}

/* They are told to end by whoever shuts the node down, or closes the session. */
static void test_asked_to_end(void **state)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT };
	pid_t worker;

	(void)state;
	begin();
	worker = worker_of(guard.pid);
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		kill(guard.pid, signals[i]);
		kill(worker, signals[i]);
	}
	shared->proceed = 1;
	usleep(10000);
	say_finished();
	assert_all_end(2, 0);
	assert_ends(&guard, 0);
}

/* Of one process there is no image, or no store. */
static void test_something_is_missing(void **state)
{
	static const char *const names[] = { "images/pagemap-100.img", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		CLEANUP(memory_release)
		char *path =
			names[i] != NULL ? in_temporary(names[i]) : memory_format("%s/100", memory);

		shared->may_end = 0;
		write_memory(0);
		assert_int_equal(unlink(path), 0);
		restore_all(1, life_in_two_parts);
		assert_ends(&guard, EXIT_COPY);
		await_state(MEMORY_FAILED, names[i] != NULL ? "pagemap-100.img" : "process 100");
		assert_int_equal(send(criu, "FTSR", 4, MSG_NOSIGNAL), -1);
		assert_ends(&restored[0], page_id(0, 0) == 0 ? 0 : 1);
		descriptor_close(&criu);
		assert_int_equal(unlink(record_path), 0);
	}
}

/* criu's restore fails: it kills its processes, and until then they get what they want. */
static void test_criu_leaves(void **state)
{
	(void)state;
	begin();
	descriptor_close(&criu);
	shared->proceed = 1;
	assert_all_end(2, 0);
	assert_ends(&guard, EXIT_COPY);
	await_state(MEMORY_GIVEN_UP, NULL);
	assert_int_equal(shared->ended, 0);
	assert_int_equal(shared->done, 1);
}

static void test_criu_never_comes(void **state)
{
	(void)state;
	start_guard();
	usleep(20000);
	await_state(MEMORY_WORKING, NULL);
	lazy_socket_hang_up(temporary);
	assert_ends(&guard, EXIT_COPY);
	await_state(MEMORY_GIVEN_UP, NULL);
	/* Nobody is there any more. */
	lazy_socket_hang_up(temporary);
}

static void test_no_record(void **state)
{
	(void)state;
	await_state(MEMORY_NONE, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESTORED_TEST(test_worker_dies),
		RESTORED_TEST(test_worker_dies_before_the_end),
		RESTORED_TEST(test_worker_dies_in_the_middle),
		RESTORED_TEST(test_worker_dies_before_it_reads),
		RESTORED_TEST(test_guard_dies),
		RESTORED_TEST(test_guard_dies_and_worker_fails),
		RESTORED_TEST(test_both_die),
		RESTORED_TEST(test_asked_to_end),
		RESTORED_TEST(test_something_is_missing),
		RESTORED_TEST(test_criu_leaves),
		RESTORED_TEST(test_criu_never_comes),
		RESTORED_TEST(test_no_record),
	};

	return RUN_ALL(tests);
}
