// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers with units, read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cli/units.h"

static void test_rates(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "1", 1024 },
		{ "800", 800 << 10 },
		{ "800K", 800 << 10 },
		{ "10m", 10 << 20 },
		{ "1.5G", 3ULL << 29 },
		{ "2GiB", 2ULL << 30 },
		{ "0.5M", 1 << 19 },
	};
	static const char *const wrong[] = { "",     "K",     "-1",  "+1",     " 1",
					     "1 K",  "1X",    "1e9", "inf",    "nan",
					     "0x10", "1.5.2", "0.5", "10MB/s", "99999999999G" };
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bytes = 1;
		assert_int_equal(units_parse_rate(cases[i].text, &bytes), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (units_parse_rate(wrong[i], &bytes) == 0)
			fail_msg("'%s' was taken for a rate", wrong[i]);
}

static void test_times(void **state)
{
	static const char *const wrong[] = { "",      "2",  "s",   "-1s",  "0s",
					     "0.5ms", "1m", "2 s", "3601s" };
	int64_t milliseconds;

	(void)state;
	assert_int_equal(units_parse_time("300ms", &milliseconds), 0);
	assert_int_equal(milliseconds, 300);
	assert_int_equal(units_parse_time("2s", &milliseconds), 0);
	assert_int_equal(milliseconds, 2000);
	assert_int_equal(units_parse_time("0.25S", &milliseconds), 0);
	assert_int_equal(milliseconds, 250);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (units_parse_time(wrong[i], &milliseconds) == 0)
			fail_msg("'%s' was taken for a time", wrong[i]);
}

static void test_numbers(void **state)
{
	static const char *const wrong[] = { "",   "0",	 "11",	"-1",  "+1",
					     " 1", "1 ", "1.5", "0x1", "99999999999999999999" };
	int64_t number;

	(void)state;
	assert_int_equal(units_parse_number("10", 1, 10, &number), 0);
	assert_int_equal(number, 10);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (units_parse_number(wrong[i], 1, 10, &number) == 0)
			fail_msg("'%s' was taken for a number from 1 to 10", wrong[i]);
}

static void test_sizes(void **state)
{
	char text[UNITS_SIZE];

	(void)state;
	units_format_bytes(text, 0);
	assert_string_equal(text, "0 B");
	units_format_bytes(text, 1023);
	assert_string_equal(text, "1023 B");
	units_format_bytes(text, 1536);
	assert_string_equal(text, "1.5 KiB");
	units_format_bytes(text, INT64_MAX);
	assert_string_equal(text, "8192.0 PiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
