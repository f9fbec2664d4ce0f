// SPDX-License-Identifier: GPL-2.0-or-later
/* Progress: what is told, and that it is not told too often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/event.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/wait.h"

static int events;
static int64_t bytes;
static int64_t total;
static int64_t eta;
static int64_t rate;

static int64_t number(json_object *fields, const char *name)
{
	struct error err;
	int64_t value;

	return json_get_number(fields, name, 0, INT64_MAX, &value, &err) < 0 ? -1 : value;
}

static void take(void *data, const char *event, json_object *fields)
{
	(void)data;
	assert_string_equal(event, "progress");
	assert_string_equal(json_find_text(fields, "kind"), "files");
	events++;
	bytes = number(fields, "bytes");
	total = number(fields, "total");
	eta = number(fields, "eta");
	rate = number(fields, "rate");
}

static int begin(void **state)
{
	(void)state;
	events = 0;
	event_set_sink(take, NULL);
	return 0;
}

static void test_told_now_and_then(void **state)
{
	struct progress progress;
	struct error err;

	(void)state;
	progress_begin(&progress, "files", 4000);
	for (int i = 1; i <= 1000; i++)
		progress_set(&progress, i);
	assert_true(events <= 1);
	wait_sleep(300, &err);
	progress_set(&progress, 2000);
	assert_int_equal(bytes, 2000);
	assert_int_equal(total, 4000);
	assert_in_range(rate, 1, 2000 * 4);
	assert_in_range(eta, 1, 4000);
	progress_end(&progress);
	assert_int_equal(bytes, 2000);
	assert_int_equal(total, 2000);
	assert_int_equal(eta, 0);
}

static void test_parts(void **state)
{
	struct progress progress;

	(void)state;
	progress_begin(&progress, "files", 0);
	progress_set(&progress, 100);
	progress_part(&progress);
	progress_set(&progress, 10);
	progress_set(&progress, 5);
	progress_end(&progress);
	assert_int_equal(bytes, 110);
}

static void test_more_than_expected(void **state)
{
	struct progress progress;
	struct error err;

	(void)state;
	progress_begin(&progress, "files", 10);
	wait_sleep(300, &err);
	progress_set(&progress, 20);
	assert_int_equal(total, 20);
	assert_int_equal(eta, 0);
	progress_begin(&progress, "files", 0);
	wait_sleep(300, &err);
	progress_set(&progress, 20);
	assert_int_equal(total, -1);
	assert_int_equal(eta, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_told_now_and_then, begin),
		cmocka_unit_test_setup(test_parts, begin),
		cmocka_unit_test_setup(test_more_than_expected, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
