// SPDX-License-Identifier: GPL-2.0-or-later
/* Turns between processes: one at a time, and a dead one does not keep it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/turn.h"
#include "base/wait.h"

static void test_alone(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(turn_take(0, TURN_STOP, &err), 0);
	turn_give(0, TURN_STOP);
}

struct holder {
	int turns;
	int told; /* closed when it has the turn */
};

/* Takes the turn and keeps it until it is killed. */
static int hold(void *data)
{
	const struct holder *holder = data;
	struct error err;

	if (turn_take(holder->turns, TURN_STOP, &err) < 0)
		return 1;
	close(holder->told);
	pause();
	return 0;
}

static void test_turns(void **state)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	struct error err;
	struct holder holder;
	int ends[2];
	int keep[2];
	char byte;
	int64_t began;

	(void)state;
	holder.turns = turn_make(&err);
	assert_true(holder.turns > 0);
	assert_int_equal(pipe(ends), 0);
	holder.told = ends[1];
	keep[0] = holder.turns;
	keep[1] = ends[1];
	assert_int_equal(process_fork(&process, hold, &holder, keep, COUNT_OF(keep), &err), 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);

	/* The other turn is free. */
	assert_int_equal(turn_take(holder.turns, TURN_CONNECT, &err), 0);
	assert_int_equal(turn_take(holder.turns, TURN_CONNECT, &err), 0);
	turn_give(holder.turns, TURN_CONNECT);

	/* This one is not, and a signal ends the wait for it. */
	wait_catch_signals();
	raise(SIGTERM);
	began = wait_clock();
	assert_int_equal(turn_take(holder.turns, TURN_STOP, &err), -1);
	assert_int_equal(err.exit_status, EXIT_INTERRUPTED);
	assert_true(wait_clock() - began < 1000);

	/* Until its holder is dead. */
	wait_shield();
	kill(process.pid, SIGKILL);
	assert_int_equal(turn_take(holder.turns, TURN_STOP, &err), 0);
	wait_unshield();
	close(holder.turns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
