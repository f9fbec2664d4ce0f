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
	assert_int_equal(options.request_count, 1);
	assert_string_equal(options.requests[0].id, "101");
	assert_true(options.migration.remove_area);
	assert_false(options_given(&options, "remove-area"));
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
	assert_true(options_given(&options, "remove-area"));
	assert_true(options.migration.keep_destination);
	assert_int_equal(options.migration.rsync.count, 2);
	assert_int_equal(options.verbosity, 2);
	assert_true(options.times);
	assert_int_equal(options.migration.timeout_seconds, 7);
	assert_string_equal(options.migration.destination.user, "admin");
	assert_int_equal(options.migration.destination.port, 2222);
}

static void test_migration_type(void **state)
{
	CLEANUP(options_release) struct options options = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(parse(&options,
			       (const char *[]){ "--online", "--lazy", "--require-realtime",
						 "--max-downtime=1.5s", "-bf",
						 "--nodeps=cpu_check,rate", "--bwlimit=1.5M",
						 "--parallel=3", "--check-only", "h", "a", NULL },
			       &err),
			 0);
	assert_true(options.migration.lazy);
	assert_true(options.migration.require_realtime);
	assert_false(options.migration.no_iterations);
	assert_int_equal(options.migration.max_downtime_ms, 1500);
	assert_true(options.batch);
	assert_true(options.migration.check_only);
	assert_int_equal(options.migration.skipped.count, 3);
	assert_string_equal(options.migration.skipped.items[0], "all");
	assert_string_equal(options.migration.skipped.items[2], "rate");
	assert_int_equal(options.migration.bandwidth_limit, 3 << 19);
	assert_int_equal(options.parallel, 3);
	assert_true(options_given(&options, "dry-run"));
	assert_true(options_given(&options, "live"));
	assert_false(options_given(&options, "noiter"));
}

static void test_containers(void **state)
{
	CLEANUP(options_release) struct options options = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(parse(&options,
			       (const char *[]){ "h", "-s", "101:201:/vz/a:/vz/b", "102::/vz/c",
						 "103:105", "104", NULL },
			       &err),
			 0);
	assert_true(options.migration.no_start);
	assert_int_equal(options.request_count, 4);
	assert_string_equal(options.requests[0].id, "101");
	assert_string_equal(options.requests[0].new_id, "201");
	assert_string_equal(options.requests[0].private_area, "/vz/a");
	assert_string_equal(options.requests[0].root, "/vz/b");
	assert_string_equal(options.requests[1].id, "102");
	assert_null(options.requests[1].new_id);
	assert_string_equal(options.requests[1].private_area, "/vz/c");
	assert_null(options.requests[1].root);
	assert_null(options.requests[3].new_id);
}

static void test_recover(void **state)
{
	CLEANUP(options_release) struct options options = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(parse(&options,
			       (const char *[]){ "--recover", "--abort", "-vb", "--timeout=5",
						 "--ssh=-p 1", "101", "102", NULL },
			       &err),
			 0);
	assert_int_equal(options.mode, MODE_RECOVER);
	assert_true(options.abort);
	assert_int_equal(options.request_count, 2);
	assert_string_equal(options.requests[1].id, "102");
	options_release(&options);
	options = (struct options){ 0 };
	assert_int_equal(parse(&options, (const char *[]){ "--recover", NULL }, &err), 0);
	assert_int_equal(options.request_count, 0);
	assert_false(options.abort);
}

static void test_refused(void **state)
{
	static const struct {
		const char *words[7];
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
		{ { "host2", "101:", NULL }, "'101:'" },
		{ { "host2", "101:a/b", NULL }, "a/b" },
		{ { "host2", "101:201:vz", NULL }, "private area 'vz'" },
		{ { "host2", "101::/vz/../x", NULL }, "'/vz/../x'" },
		{ { "host2", "101:::root", NULL }, "root 'root'" },
		{ { "host2", "1:2:/3:/4:5", NULL }, "four parts" },
		{ { "host2", "101", "102", "101", NULL }, "'101' is named twice" },
		{ { "host2", "101:201", "102:201", NULL }, "both be '201'" },
		{ { "host2", "101:102", "102", NULL }, "both be '102'" },
		{ { "host2", "101::/vz/1", "102::/vz/1", NULL }, "'/vz/1'" },
		{ { "host2", "101:::/vz/1", "102:::/vz/1", NULL }, "share the root" },
		{ { "--noiter", "host2", "101", NULL }, "--noiter goes only with --online" },
		{ { "--lazy", "host2", "101", NULL }, "--lazy goes only with --online" },
		{ { "--require-realtime", "host2", "101", NULL }, "only with --online" },
		{ { "--max-downtime=2s", "host2", "101", NULL }, "only with --online" },
		{ { "--live", "--noiter", "--require-realtime", "host2", "101", NULL },
		  "--noiter and --require-realtime exclude" },
		{ { "--live", "--noiter", "--max-downtime=1s", "host2", "101", NULL },
		  "--noiter and --max-downtime exclude" },
		{ { "-s", "--live", "host2", "101", NULL }, "--nostart and --online exclude" },
		{ { "--readonly", "--live", "host2", "101", NULL }, "--readonly and --online" },
		{ { "--readonly", "-r", "no", "host2", "101", NULL },
		  "--readonly and --remove-area" },
		{ { "--abort", "host2", "101", NULL }, "--abort goes only with --recover" },
		{ { "--recover", "--live", NULL }, "--online and --recover exclude" },
		{ { "--recover", "--check-only", NULL }, "--dry-run and --recover exclude" },
		{ { "--recover", "101:201", NULL }, "'101:201'" },
		{ { "--recover", "101", "101", NULL }, "named twice" },
		{ { "-fnone", "host2", "101", NULL }, "'none'" },
		{ { "--nodeps=", "host2", "101", NULL }, "''" },
		{ { "--nodeps=all,", "host2", "101", NULL }, "''" },
		{ { "--nodeps=cpu_check,locked", "host2", "101", NULL }, "'locked' is never" },
		{ { "--nodeps=exists", "host2", "101", NULL }, "'exists' is never" },
		{ { "--bwlimit=fast", "host2", "101", NULL }, "'fast'" },
		{ { "--bwlimit=10X", "host2", "101", NULL }, "'10X'" },
		{ { "--bwlimit=-1", "host2", "101", NULL }, "'-1'" },
		{ { "--bwlimit=", "host2", "101", NULL }, "''" },
		{ { "--parallel=0", "host2", "101", NULL }, "'0'" },
		{ { "--parallel=11", "host2", "101", NULL }, "'11'" },
		{ { "--max-downtime=2", "--live", "host2", "101", NULL }, "'2'" },
		{ { "--max-downtime=0ms", "--live", "host2", "101", NULL }, "'0ms'" },
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
		cmocka_unit_test(test_migration_type),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_recover),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_help_needs_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
