// SPDX-License-Identifier: GPL-2.0-or-later
/* What in criu's log is the cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "system/criu.h"

static void expect(const char *log, const char *cause)
{
	char path[] = "/tmp/vzmigrate-test-criu.XXXXXX";
	CLEANUP(text_release) struct text found = { 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, log, strlen(log)), (ssize_t)strlen(log));
	close(fd);
	criu_log_cause(path, &found);
	unlink(path);
	assert_string_equal(text_string(&found), cause);
}

static void test_first_relevant_error(void **state)
{
	(void)state;
	expect("(00.001) Version: 4.2\n"
	       "(00.002) rlimit: Error (criu/rlimit.c:1): Can't setup RLIMIT_NOFILE for self\n"
	       "(00.003) Error (criu/sk-inet.c:200): inet: Connected TCP socket, consider "
	       "using --tcp-established option.\n"
	       "(00.004) Error (criu/cr-dump.c:2): Dumping FAILED.\n",
	       "inet: Connected TCP socket, consider using --tcp-established option.");
}

static void test_none(void **state)
{
	(void)state;
	expect("(00.001) Version: 4.2\n", "");
	expect("", "");
}

static void test_hostile_log(void **state)
{
	(void)state;
	expect("Error (x): \033[31mred\n", "?[31mred");
	expect("Error (no end", "Error (no end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_relevant_error),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_hostile_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
