// SPDX-License-Identifier: GPL-2.0-or-later
/* The one poll loop: time limits, watches, signals, the shield. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/wait.h"
#include "unit.h"

#define ROUGHLY_MS 400 /* how late a loaded machine may be */

static void time_limit(void **state)
{
	struct error err = { 0 };
	int64_t begin = wait_clock();

	(void)state;
	assert_int_equal(wait_sleep(100, &err), 0);
	assert_in_range(wait_clock() - begin, 100, 100 + ROUGHLY_MS);
	assert_int_equal(wait_for(NULL, 0, 0, &err), 0);
}

static void ready_descriptors_are_counted(void **state)
{
	struct error err = { 0 };
	int full[2];
	int empty[2];
	struct pollfd polled[3];

	(void)state;
	assert_int_equal(pipe2(full, O_CLOEXEC), 0);
	assert_int_equal(pipe2(empty, O_CLOEXEC), 0);
	assert_int_equal(write(full[1], "x", 1), 1);
	polled[0] = (struct pollfd){ empty[0], POLLIN, 0 };
	polled[1] = (struct pollfd){ full[0], POLLIN, 0 };
	polled[2] = (struct pollfd){ -1, POLLIN, 0 };
	assert_int_equal(wait_for(polled, 3, -1, &err), 1);
	assert_int_equal(polled[0].revents, 0);
	assert_int_equal(polled[1].revents, POLLIN);
	assert_int_equal(wait_for(polled, 1, 50, &err), 0);
	for (int i = 0; i < 2; i++) {
		close(full[i]);
		close(empty[i]);
	}
}

struct counter {
	int calls;
	int fail_at; /* the call that fails; 0: none */
	int fd;	     /* emptied at each call; -1: none */
};

static int count_call(void *data, struct error *err)
{
	struct counter *counter = data;
	char byte;

	counter->calls++;
	if (counter->fd >= 0)
		assert_int_equal(read(counter->fd, &byte, 1), 1);
	if (counter->calls == counter->fail_at)
		return error_exit(err, EXIT_CONNECT, "the peer is lost");
	return 0;
}

static void watches_run_while_we_wait(void **state)
{
	struct counter counter = { .fd = -1 };
	struct error err = { 0 };
	int watch = wait_watch(-1, 50, count_call, &counter);

	(void)state;
	assert_int_equal(wait_sleep(275, &err), 0);
	assert_in_range(counter.calls, 2, 5);
	wait_unwatch(watch);
	counter.calls = 0;
	assert_int_equal(wait_sleep(120, &err), 0);
	assert_int_equal(counter.calls, 0);
}

static void a_failing_watch_fails_the_wait(void **state)
{
	struct counter counter = { .fd = -1, .fail_at = 2 };
	struct error err = { 0 };
	int watch = wait_watch(-1, 30, count_call, &counter);
	int64_t begin = wait_clock();

	(void)state;
	assert_int_equal(wait_for(NULL, 0, 10000, &err), -1);
	assert_string_equal(err.text, "the peer is lost");
	assert_int_equal(err.exit_status, EXIT_CONNECT);
	assert_in_range(wait_clock() - begin, 60, 60 + ROUGHLY_MS);
	wait_unwatch(watch);
}

static void a_watched_descriptor_is_served_at_once(void **state)
{
	struct error err = { 0 };
	struct counter counter = { 0 };
	int ends[2];
	int watch;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	counter.fd = ends[0];
	watch = wait_watch(ends[0], 60000, count_call, &counter);
	assert_int_equal(wait_sleep(50, &err), 0);
	assert_int_equal(counter.calls, 0);
	assert_int_equal(write(ends[1], "xyz", 3), 3);
	assert_int_equal(wait_sleep(50, &err), 0);
	assert_int_equal(counter.calls, 3);
	wait_unwatch(watch);
	close(ends[0]);
	close(ends[1]);
}

static void all_watches_can_be_used_and_returned(void **state)
{
	struct counter counter = { .fd = -1 };
	int numbers[WAIT_WATCHES];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < WAIT_WATCHES; i++)
			numbers[i] = wait_watch(-1, 60000, count_call, &counter);
		for (int i = 0; i < WAIT_WATCHES; i++)
			wait_unwatch(numbers[i]);
	}
	assert_int_equal(counter.calls, 0);
}

static void the_shield_keeps_a_failure_for_later(void **state)
{
	struct counter counter = { .fd = -1, .fail_at = 1 };
	struct error err = { 0 };
	int watch = wait_watch(-1, 20, count_call, &counter);
	int64_t begin = wait_clock();

	(void)state;
	wait_shield();
	wait_shield();
	assert_int_equal(wait_sleep(100, &err), 0);
	wait_unshield();
	assert_int_equal(wait_sleep(50, &err), 0);
	assert_in_range(wait_clock() - begin, 150, 150 + ROUGHLY_MS);
	wait_unshield();
	assert_int_equal(wait_sleep(50, &err), -1);
	assert_string_equal(err.text, "the peer is lost");
	assert_int_equal(wait_sleep(50, &err), 0);
	wait_unwatch(watch);
}

/* Runs a part in a child, because signals that were seen stay seen. */
static void in_child(int (*part)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(part());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int signal_part(void)
{
	struct error err = { 0 };
	int64_t begin;

	wait_catch_signals();
	if (wait_signal() != 0)
		return 1;
	/* Sent outside the wait: it is not lost. */
	raise(SIGTERM);
	if (wait_signal() != 0)
		return 2;
	begin = wait_clock();
	if (wait_for(NULL, 0, 10000, &err) != -1 || err.exit_status != EXIT_INTERRUPTED)
		return 3;
	if (strcmp(err.text, "interrupted by SIGTERM") != 0 || wait_signal() != SIGTERM)
		return 4;
	if (wait_clock() - begin > ROUGHLY_MS)
		return 5;
	/* Once interrupted, each wait fails, unless it is shielded. */
	if (wait_sleep(0, &err) != -1)
		return 6;
	wait_shield();
	if (wait_sleep(50, &err) != 0)
		return 7;
	wait_unshield();
	return wait_sleep(0, &err) == -1 ? 0 : 8;
}

static int late_signal_part(void)
{
	struct error err = { 0 };
	pid_t parent = getpid();
	pid_t pid;
	int64_t begin = wait_clock();

	wait_catch_signals();
	pid = fork();
	if (pid == 0) {
		usleep(100000);
		kill(parent, SIGINT);
		_exit(0);
	}
	if (wait_for(NULL, 0, 10000, &err) != -1 || strcmp(err.text, "interrupted by ^C") != 0)
		return 1;
	waitpid(pid, NULL, 0);
	return wait_clock() - begin < 100 + ROUGHLY_MS ? 0 : 2;
}

static int shielded_signal_part(void)
{
	struct error err = { 0 };
	int64_t begin = wait_clock();

	wait_catch_signals();
	wait_shield();
	raise(SIGHUP);
	if (wait_sleep(100, &err) != 0 || wait_signal() != SIGHUP)
		return 1;
	if (wait_clock() - begin < 100)
		return 2;
	wait_unshield();
	return wait_sleep(0, &err) == -1 ? 0 : 3;
}

static int broken_pipe_part(void)
{
	int ends[2];

	wait_catch_signals();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return 1;
	close(ends[0]);
	return write(ends[1], "x", 1) == -1 ? 0 : 2;
}

static int forget_part(void)
{
	struct counter counter = { .fd = -1, .fail_at = 1 };
	struct error err = { 0 };

	wait_catch_signals();
	wait_watch(-1, 0, count_call, &counter);
	wait_shield();
	raise(SIGTERM);
	wait_sleep(0, &err);
	wait_forget();
	if (wait_signal() != 0 || wait_sleep(20, &err) != 0)
		return 1;
	/* The shield is gone too. */
	counter = (struct counter){ .fd = -1, .fail_at = 1 };
	wait_watch(-1, 0, count_call, &counter);
	return wait_sleep(20, &err) == -1 ? 0 : 2;
}

static void signals_interrupt(void **state)
{
	(void)state;
	in_child(signal_part);
	in_child(late_signal_part);
}

static void the_shield_keeps_signals_for_later(void **state)
{
	(void)state;
	in_child(shielded_signal_part);
}

static void a_broken_pipe_does_not_kill(void **state)
{
	(void)state;
	in_child(broken_pipe_part);
}

static void a_child_can_forget(void **state)
{
	(void)state;
	in_child(forget_part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_limit),
		cmocka_unit_test(ready_descriptors_are_counted),
		cmocka_unit_test(watches_run_while_we_wait),
		cmocka_unit_test(a_failing_watch_fails_the_wait),
		cmocka_unit_test(a_watched_descriptor_is_served_at_once),
		cmocka_unit_test(all_watches_can_be_used_and_returned),
		cmocka_unit_test(the_shield_keeps_a_failure_for_later),
		cmocka_unit_test(signals_interrupt),
		cmocka_unit_test(the_shield_keeps_signals_for_later),
		cmocka_unit_test(a_broken_pipe_does_not_kill),
		cmocka_unit_test(a_child_can_forget),
	};

	return RUN_ALL(tests);
}
