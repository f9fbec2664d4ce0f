// SPDX-License-Identifier: GPL-2.0-or-later
/* Work done in a child: its outcome and its error come back, whatever becomes of it. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/offload.h"
#include "base/wait.h"
#include "unit.h"

static int changed;

static int succeed(const void *data, struct error *err)
{
	(void)err;
	changed = *(const int *)data;
	return 0;
}

static int fail_with_status(const void *data, struct error *err)
{
	return error_exit(err, EXIT_COPY, "cannot sync '%s'", (const char *)data);
}

static int die(const void *data, struct error *err)
{
	(void)err;
	raise(*(const int *)data);
	return 0;
}

static int take_long(const void *data, struct error *err)
{
	struct timespec pause = { 60, 0 };

	(void)data;
	(void)err;
	nanosleep(&pause, NULL);
	return 0;
}

static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_success_comes_back_and_nothing_else(void **state)
{
	struct error err = { .text = "as before" };
	int data = 7;

	(void)state;
	assert_int_equal(offload(succeed, &data, &err), 0);
	assert_int_equal(changed, 0);
	assert_string_equal(err.text, "as before");
	assert_no_child();
}

static void test_an_error_comes_back(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(offload(fail_with_status, "/srv", &err), -1);
	assert_string_equal(err.text, "cannot sync '/srv'");
	assert_int_equal(err.exit_status, EXIT_COPY);
	assert_no_child();
}

static void test_a_child_that_dies_is_an_error(void **state)
{
	struct error err = { 0 };
	int number = SIGKILL;

	(void)state;
	assert_int_equal(offload(die, &number, &err), -1);
	assert_non_null(strstr(err.text, "137"));
	assert_no_child();
}

static int lose_the_peer(void *data, struct error *err)
{
	(void)data;
	return error_exit(err, EXIT_CONNECT, "the peer is lost");
}

static void test_an_interrupted_wait_ends_the_child(void **state)
{
	struct error err = { 0 };
	int watch = wait_watch(-1, 50, lose_the_peer, NULL);
	int64_t begin = wait_clock();

	(void)state;
	assert_int_equal(offload(take_long, NULL, &err), -1);
	assert_string_equal(err.text, "the peer is lost");
	assert_int_equal(err.exit_status, EXIT_CONNECT);
	assert_in_range(wait_clock() - begin, 0, 5000);
	wait_unwatch(watch);
	assert_no_child();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_success_comes_back_and_nothing_else),
		cmocka_unit_test(test_an_error_comes_back),
		cmocka_unit_test(test_a_child_that_dies_is_an_error),
		cmocka_unit_test(test_an_interrupted_wait_ends_the_child),
	};

	return RUN_ALL(tests);
}
