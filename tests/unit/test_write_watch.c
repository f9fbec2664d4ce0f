// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes that are held while their mappings begin to be watched: they stand still, and go on whatever happens to who
 * holds them. */
#include "inject_unit.h"
#include "system/write_watch.h"

static void assert_stands_still(void)
{
	uint64_t turns = shared->turns;

	usleep(20000);
	assert_true(shared->turns == turns);
}

static void assert_goes_on(void)
{
	uint64_t turns = shared->turns;

	for (int tries = 0; tries < 10000 && shared->turns == turns; tries++)
		usleep(1000);
	assert_true(shared->turns > turns);
}

static bool can_watch(void)
{
	if (!write_watch_is_possible())
		print_message("# not tried: this kernel cannot report writes without waiting\n");
	return write_watch_is_possible();
}

/* On a busy machine one that runs may not stop in time. */
static int hold(struct write_hold *held, pid_t pid, int *fault)
{
	for (int tries = 0; tries < 100; tries++) {
		if (write_watch_hold(held, pid, fault, &err) == 0)
			return 0;
		write_watch_let_go(held);
		*held = (struct write_hold)WRITE_HOLD_NONE;
	}
	return -1;
}

/* The second time it need not be asked for anything. */
static void test_a_process_is_held_and_goes_on(void **state)
{
	CLEANUP(descriptor_close) int fault = -1;
	pid_t pid;

	(void)state;
	if (!can_watch())
		return;
	pid = start(count_turns);
	for (int i = 0; i < 2; i++) {
		struct write_hold held = WRITE_HOLD_NONE;
		int before = fault;

		if (hold(&held, pid, &fault) < 0)
			fail_msg("%s", err.text);
		assert_true(fault >= 0 && (i == 0 || fault == before));
		assert_stands_still();
		write_watch_let_go(&held);
		assert_goes_on();
	}
	finish_busy(pid);
}

static int hold_until_killed(void *data)
{
	struct write_hold held = WRITE_HOLD_NONE;
	int fault = -1;

	if (hold(&held, *(pid_t *)data, &fault) < 0)
		return 1;
	shared->signals = 1;
	for (;;)
		pause();
}

static void test_it_goes_on_when_its_holder_is_killed(void **state)
{
	CLEANUP(process_release) struct process holder = PROCESS_NONE;
	pid_t pid;

	(void)state;
	if (!can_watch())
		return;
	pid = start(count_turns);
	assert_int_equal(process_fork(&holder, hold_until_killed, &pid, NULL, 0, &err), 0);
	for (int tries = 0; tries < 5000 && shared->signals == 0; tries++)
		usleep(1000);
	assert_int_equal(shared->signals, 1);
	assert_stands_still();
	kill(holder.pid, SIGKILL);
	assert_goes_on();
	finish_busy(pid);
}

static void test_who_is_traced_is_not_held(void **state)
{
	CLEANUP(write_watch_let_go) struct write_hold held = WRITE_HOLD_NONE;
	int fault = -1;
	pid_t pid;

	(void)state;
	if (!can_watch())
		return;
	pid = start(count_turns);
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	assert_int_equal(write_watch_hold(&held, pid, &fault, &err), -1);
	assert_non_null(strstr(err.text, "perhaps it is traced already"));
	assert_int_equal(fault, -1);
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
	finish_busy(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		INJECT_TEST(test_a_process_is_held_and_goes_on),
		INJECT_TEST(test_it_goes_on_when_its_holder_is_killed),
		INJECT_TEST(test_who_is_traced_is_not_held),
	};

	return RUN_ALL(tests);
}
