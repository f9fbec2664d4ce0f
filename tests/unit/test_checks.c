// SPDX-License-Identifier: GPL-2.0-or-later
/* Verdicts and facts across the wire, honest and hostile; what --nodeps skips, and what it means. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "node/check.h"
#include "unit.h"

static void test_verdicts_cross_the_wire(void **state)
{
	CLEANUP(verdicts_release) struct verdicts verdicts = { 0 };
	CLEANUP(verdicts_release) struct verdicts got = { 0 };
	CLEANUP(json_release) json_object *list = NULL;
	struct error failure;

	(void)state;
	verdicts.name = check_name("bridge");
	verdicts.failing = VERDICT_OFFLINE_ONLY;
	verdict_add(&verdicts, VERDICT_GO, 0, "");
	verdict_refuse(&verdicts, EXIT_TECHNOLOGIES, "no '%s'", "br0");
	verdict_remark(&verdicts, "by the way");
	error_set(&failure, "worded elsewhere");
	failure.exit_status = 0;
	verdict_fail(&verdicts, &failure, EXIT_RUNTIME);
	list = verdicts_to_json(&verdicts);
	assert_int_equal(verdicts_from_json(&got, list, &failure), 0);
	assert_int_equal(got.count, 4);
	assert_string_equal(got.items[1].name, "bridge");
	assert_string_equal(got.items[1].text, "no 'br0'");
	assert_int_equal(got.items[1].state, VERDICT_OFFLINE_ONLY);
	assert_int_equal(got.items[1].exit_status, EXIT_TECHNOLOGIES);
	assert_int_equal(got.items[3].exit_status, EXIT_RUNTIME);
	assert_false(verdict_stops(&got.items[0]));
	assert_true(verdict_stops(&got.items[1]));
	assert_false(verdict_stops(&got.items[2]));
}

static void test_hostile_verdicts(void **state)
{
	static const char *const lists[] = {
		"[7]",
		"[{}]",
		"[{\"check\":\"nonsense\",\"verdict\":\"go\",\"exit_status\":0,\"text\":\"\"}]",
		"[{\"check\":\"bridge\",\"verdict\":\"maybe\",\"exit_status\":0,\"text\":\"\"}]",
		/* What stops has a status, what does not has none, and it is a published one. */
		"[{\"check\":\"bridge\",\"verdict\":\"no\",\"exit_status\":0,\"text\":\"\"}]",
		"[{\"check\":\"bridge\",\"verdict\":\"no\",\"exit_status\":99,\"text\":\"\"}]",
		"[{\"check\":\"bridge\",\"verdict\":\"go\",\"exit_status\":9,\"text\":\"\"}]",
		"[{\"check\":\"bridge\",\"verdict\":\"go\",\"exit_status\":0,\"text\":5}]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		CLEANUP(verdicts_release) struct verdicts verdicts = { 0 };
		CLEANUP(json_release) json_object *list = json_tokener_parse(lists[i]);
		struct error failure;

		assert_non_null(list);
		assert_int_equal(verdicts_from_json(&verdicts, list, &failure), -1);
	}
}

static void test_facts_cross_the_wire(void **state)
{
	CLEANUP(facts_release)
	struct facts facts = {
		.bytes = { 1, (int64_t)1 << 40 },
		.files = { 2, 3 },
		.acls = true,
		.case_pairs = true,
		.memory = 4,
		.clock_ms = 5,
		.criu = 40201,
		.quota = { 6, 7, 8, 9 },
	};
	CLEANUP(facts_release) struct facts got = { 0 };
	CLEANUP(json_release) json_object *object = NULL;
	struct error failure;

	(void)state;
	facts.machine = memory_duplicate("x86_64");
	text_append(&facts.cpu, "\x00\xff\x10", 3);
	words_add(&facts.hierarchies, "name=systemd");
	object = facts_to_json(&facts);
	assert_int_equal(facts_from_json(&got, object, &failure), 0);
	assert_int_equal(got.bytes[1], (int64_t)1 << 40);
	assert_int_equal(got.files[0], 2);
	assert_true(got.acls && got.case_pairs && !got.attributes);
	assert_int_equal(got.criu, 40201);
	assert_int_equal(got.quota.files_soft, 9);
	assert_string_equal(got.machine, "x86_64");
	assert_int_equal(got.cpu.length, 3);
	assert_memory_equal(got.cpu.bytes, "\x00\xff\x10", 3);
	assert_string_equal(got.hierarchies.items[0], "name=systemd");
	assert_null(got.confinement);
}

static void spoil(const char *field, const char *value)
{
	CLEANUP(facts_release) struct facts facts = { 0 };
	CLEANUP(facts_release) struct facts got = { 0 };
	CLEANUP(json_release) json_object *object = facts_to_json(&facts);
	struct error failure;

	json_object_object_add(object, field, json_tokener_parse(value));
	assert_int_equal(facts_from_json(&got, object, &failure), -1);
}

static void test_hostile_facts(void **state)
{
	(void)state;
	spoil("bytes", "[-1]");
	spoil("bytes", "[1,2,3]");
	spoil("files", "[\"1\"]");
	spoil("memory", "-5");
	spoil("criu", "\"4.2\"");
	spoil("cpu", "\"0\"");
	spoil("cpu", "\"0g\"");
	spoil("quota", "{}");
	spoil("mounts", "[7]");
	spoil("hierarchies", "\"memory\"");
}

static bool leaves_stopped(const char *word)
{
	CLEANUP(words_release) struct words skipped = { 0 };

	words_add(&skipped, word);
	return checks_leave_stopped(&skipped);
}

static void test_selectors(void **state)
{
	(void)state;
	assert_true(check_is_selector("all"));
	assert_true(check_is_selector("cpu_check"));
	assert_true(check_is_selector("disk_space"));
	assert_true(check_is_selector("technologies"));
	assert_true(check_is_selector("license"));
	assert_true(check_is_selector("rate"));
	assert_true(check_is_selector("bridge"));
	assert_false(check_is_selector(""));
	assert_false(check_is_selector("Bridge"));
	assert_true(check_is_safety("exists"));
	assert_true(check_is_safety("locked"));
	assert_false(check_is_safety("bridge"));
	/* Without them nobody knows whether it can start. */
	assert_true(leaves_stopped("all"));
	assert_true(leaves_stopped("technologies"));
	assert_true(leaves_stopped("ip_address"));
	assert_false(leaves_stopped("disk_space"));
	assert_false(leaves_stopped("license"));
	assert_false(leaves_stopped("locked"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts_cross_the_wire),
		cmocka_unit_test(test_hostile_verdicts),
		cmocka_unit_test(test_facts_cross_the_wire),
		cmocka_unit_test(test_hostile_facts),
		cmocka_unit_test(test_selectors),
	};

	return RUN_ALL(tests);
}
