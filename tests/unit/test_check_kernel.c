// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks whose real causes no lab on one machine can have: another architecture, another clock, a security
 * module that the kernel lacks. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "node/check.h"
#include "unit.h"

/* The destination's verdict on what the source told of itself. */
static void judge(void (*check)(const struct check_subject *, struct verdicts *),
		  struct facts *facts, int64_t arrived_ms, struct verdicts *verdicts)
{
	static char id[] = "101";
	struct host host = HOST_NONE;
	const struct check_subject subject = {
		.host = &host,
		.facts = facts,
		.arrived_ms = arrived_ms,
		.destination = true,
	};

	host.container.id = id;
	verdicts->name = "test";
	verdicts->failing = VERDICT_NO;
	check(&subject, verdicts);
}

static void assert_refused(const struct verdicts *verdicts, int exit_status, const char *said)
{
	assert_int_equal(verdicts->count, 1);
	assert_true(verdict_stops(&verdicts->items[0]));
	assert_int_equal(verdicts->items[0].exit_status, exit_status);
	assert_non_null(strstr(verdicts->items[0].text, said));
}

static void test_architecture(void **state)
{
	CLEANUP(facts_release) struct facts facts = { .machine = memory_duplicate("vax") };
	CLEANUP(verdicts_release) struct verdicts verdicts = { 0 };

	(void)state;
	judge(check_architecture, &facts, 0, &verdicts);
	assert_refused(&verdicts, EXIT_CPU, "are for vax");
}

static void test_clock(void **state)
{
	static const struct {
		int64_t skew_ms;
		bool said;
		bool stops;
		const char *words;
	} cases[] = {
		{ 0, false, false, "" },
		{ -1500, false, false, "" },
		{ 5000, true, false, "5 s before" },
		{ -100000, true, true, "100 s behind" },
		{ 100000, true, true, "100 s before" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(facts_release) struct facts facts = { .clock_ms = 1000000000 };
		CLEANUP(verdicts_release) struct verdicts verdicts = { 0 };

		judge(check_clock, &facts, facts.clock_ms + cases[i].skew_ms, &verdicts);
		assert_int_equal(verdicts.count, cases[i].said ? 1 : 0);
		if (!cases[i].said)
			continue;
		assert_int_equal(verdict_stops(&verdicts.items[0]), cases[i].stops);
		assert_non_null(strstr(verdicts.items[0].text, cases[i].words));
	}
}

/* No kernel confines by both. */
static void test_confinement(void **state)
{
	const char *lacking = file_exists("/sys/fs/selinux/enforce") ? "apparmor" : "selinux";
	CLEANUP(facts_release) struct facts facts = { .confinement = memory_duplicate(lacking) };
	CLEANUP(facts_release) struct facts none = { 0 };
	CLEANUP(verdicts_release) struct verdicts verdicts = { 0 };

	(void)state;
	judge(check_lsm, &none, 0, &verdicts);
	assert_int_equal(verdicts.count, 0);
	judge(check_lsm, &facts, 0, &verdicts);
	assert_refused(&verdicts, EXIT_TECHNOLOGIES, lacking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_architecture),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_confinement),
	};

	return RUN_ALL(tests);
}
