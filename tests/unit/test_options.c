// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line: what each option sets, and what is refused in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cli/options.h"

#define WORDS_MAX 12

static int parse(struct options *options, const char *const *words, struct error *err)
{
	char *argv[WORDS_MAX + 2] = { memory_duplicate("vzmigrate") };
	int count = 1;
	int result;

	for (; words[count - 1] != NULL; count++)
		argv[count] = memory_duplicate(words[count - 1]);
	result = options_parse(options, count, argv, err);
	for (int i = 0; i < count; i++)
		memory_release(&argv[i]);
	return result;
}

static void test_defaults(void **state)
{
	CLEANUP(options_release) struct options options = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(parse(&options, (const char *[]){ "host2", "101", NULL }, &err), 0);
	assert_int_equal(options.mode, MODE_MIGRATE);
	assert_string_equal(options.migration.destination.host, "host2");
	assert_int_equal(options.containers.count, 1);
	assert_true(options.migration.remove_area);
	assert_false(options.remove_area_given);
	assert_false(options.migration.online);
	assert_int_equal(options.migration.timeout_seconds, 30);
}

static void test_all(void **state)
{
	CLEANUP(options_release) struct options options = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(parse(&options,
			       (const char *[]){ "--live", "-r", "no", "--keep-dst",
						 "--rsync=-z -W", "-vvt", "--timeout", "7",
						 "--runtime=lxc", "admin@[::1]:2222", "a", NULL },
			       &err),
			 0);
	assert_true(options.migration.online);
	assert_false(options.migration.remove_area);
	assert_true(options.remove_area_given);
	assert_true(options.migration.keep_destination);
	assert_int_equal(options.migration.rsync.count, 2);
	assert_int_equal(options.verbosity, 2);
	assert_true(options.times);
	assert_int_equal(options.migration.timeout_seconds, 7);
	assert_string_equal(options.migration.destination.user, "admin");
	assert_int_equal(options.migration.destination.port, 2222);
}

static void test_refused(void **state)
{
	static const struct {
		const char *words[6];
		const char *said; /* a part of the sentence */
	} cases[] = {
		{ { NULL }, "missing" },
		{ { "host2", NULL }, "container is missing" },
		{ { "--frobnicate", "host2", "101", NULL }, "'--frobnicate'" },
		{ { "-x", "host2", "101", NULL }, "'-x'" },
		{ { "--re", NULL }, "'--re'" },
		{ { "--online=yes", "host2", "101", NULL }, "'--online'" },
		{ { "-r", NULL }, "'-r'" },
		{ { "-r", "maybe", "host2", "101", NULL }, "'maybe'" },
		{ { "--timeout=0", "host2", "101", NULL }, "'0'" },
		{ { "--timeout=5x", "host2", "101", NULL }, "'5x'" },
		{ { "--runtime=jail", "host2", "101", NULL }, "'jail'" },
		{ { "--rsync='open", "host2", "101", NULL }, "--rsync" },
		{ { "--rsync=/etc", "host2", "101", NULL }, "'/etc'" },
		{ { "host2", "../x", NULL }, "../x" },
		{ { "host2", "", NULL }, "" },
		{ { "--", "-host", "101", NULL }, "-host" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(options_release) struct options options = { 0 };
		struct error err = { 0 };

		assert_int_equal(parse(&options, cases[i].words, &err), -1);
		assert_int_equal(err.exit_status, EXIT_USAGE);
		if (strstr(err.text, cases[i].said) == NULL)
			fail_msg("'%s' does not say %s", err.text, cases[i].said);
		assert_null(strchr(err.text, '\n'));
	}
}

static void test_help_needs_nothing_else(void **state)
{
	CLEANUP(options_release) struct options options = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(parse(&options, (const char *[]){ "--help", NULL }, &err), 0);
	assert_int_equal(options.mode, MODE_HELP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_help_needs_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
