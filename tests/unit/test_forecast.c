// SPDX-License-Identifier: GPL-2.0-or-later
/* forecast: rounds that shrink go on, rounds that gain nothing end, and the stop is told from both. */
#include "unit.h"

#include "migration/forecast.h"

#define MIB ((int64_t)1 << 20)

static void add(struct forecast *forecast, int64_t changed, int64_t sent, int64_t milliseconds,
		int64_t since_ms)
{
	forecast_add(forecast, &(struct forecast_round){ .changed = changed,
							 .sent = sent,
							 .milliseconds = milliseconds,
							 .since_ms = since_ms });
}

/* One round after another of a container of `resident` bytes that changes `rate` bytes a millisecond, over a
 * connection that takes `bandwidth`. Returns the advice after the last. */
static enum forecast_advice run(struct forecast *forecast, int64_t resident, int64_t rate,
				int64_t bandwidth)
{
	int64_t changed = resident;
	int64_t since = 0;

	for (;;) {
		int64_t duration = changed / bandwidth + 1;

		add(forecast, changed, changed, duration, since);
		since = duration;
		if (forecast_advise(forecast) != FORECAST_AGAIN)
			return forecast_advise(forecast);
		changed = rate * duration < resident ? rate * duration : resident;
	}
}

static void test_shrinks(void **state)
{
	struct forecast forecast = { 0 };

	(void)state;
	/* 1 GiB, 20 MB/s, 500 MB/s */
	assert_int_equal(run(&forecast, 1024 * MIB, 20000, 500000), FORECAST_STOP);
	assert_in_range(forecast.rounds, 2, 5);
	assert_in_range(forecast_stop_ms(&forecast), FORECAST_FIXED_MS,
			FORECAST_FIXED_MS + FORECAST_WORTH_MS);
}

static void test_idle(void **state)
{
	struct forecast forecast = { 0 };

	(void)state;
	assert_int_equal(run(&forecast, 1024 * MIB, 0, 500000), FORECAST_STOP);
	assert_int_equal(forecast.rounds, 2);
	assert_int_equal(forecast_stop_ms(&forecast), FORECAST_FIXED_MS);
}

/* It changes as fast as that is sent: nothing is gained, and it is soon given up. */
static void test_does_not_shrink(void **state)
{
	struct forecast forecast = { 0 };

	(void)state;
	assert_int_equal(run(&forecast, 1024 * MIB, 100000, 100000), FORECAST_STUCK);
	assert_in_range(forecast.rounds, 1 + FORECAST_PATIENCE, 2 + FORECAST_PATIENCE);
	assert_true(forecast_stop_ms(&forecast) > 5000);
}

/* Huge pages: what is written is little, what counts as changed is nearly everything. */
static void test_huge_pages(void **state)
{
	struct forecast forecast = { 0 };

	(void)state;
	for (int round = 0;
	     round < 4 && (round < 2 || forecast_advise(&forecast) == FORECAST_AGAIN); round++)
		add(&forecast, 256 * MIB, 256 * MIB, 500, 500);
	assert_int_equal(forecast_advise(&forecast), FORECAST_STUCK);
	assert_int_equal(forecast.rounds, 1 + FORECAST_PATIENCE);
}

static void test_limit(void **state)
{
	struct forecast wide = { .limit_ms = 5000 };
	struct forecast narrow = { .limit_ms = FORECAST_FIXED_MS / 2 };

	(void)state;
	/* Good enough is the end of it, although more rounds would gain. */
	assert_int_equal(run(&wide, 1024 * MIB, 40000, 100000), FORECAST_STOP);
	assert_true(forecast_stop_ms(&wide) <= 5000);
	assert_int_equal(wide.rounds, 2);
	/* Less than the stop takes without any memory: nothing helps, so no round is wasted on it. */
	assert_int_equal(run(&narrow, 1024 * MIB, 20000, 500000), FORECAST_LONG);
	assert_true(narrow.rounds < 6);
}

/* What criu dumps itself makes the stop longer, however little of it changes; rounds go on as without it. */
static void test_dumped(void **state)
{
	struct forecast forecast = { .limit_ms = FORECAST_FIXED_MS + 1000 };
	struct forecast_round round = {
		.sent = 1024 * MIB,
		.milliseconds = 10000,
		.dumped = 1024 * MIB,
	};

	(void)state;
	forecast_add(&forecast, &round);
	round.sent = 0;
	round.milliseconds = 300;
	round.since_ms = 10000;
	forecast_add(&forecast, &round);
	assert_int_equal(forecast_stop_ms(&forecast),
			 FORECAST_FIXED_MS + 1024 * MIB / FORECAST_DUMPED_PER_MS);
	assert_int_equal(forecast_advise(&forecast), FORECAST_LONG);
	forecast.limit_ms = 0;
	assert_int_equal(forecast_advise(&forecast), FORECAST_STOP);
	/* What changed of it is sent in the stop. */
	round.sent = 100 * MIB;
	round.since_ms = 1300;
	round.milliseconds = 1300;
	forecast_add(&forecast, &round);
	assert_int_equal(forecast_advise(&forecast), FORECAST_AGAIN);
	assert_true(forecast_stop_ms(&forecast) > FORECAST_FIXED_MS + 2000 + 900);
}

/* Slowed down, it is tried again, and then converges. */
static void test_try_again(void **state)
{
	struct forecast forecast = { 0 };

	(void)state;
	assert_int_equal(run(&forecast, 256 * MIB, 100000, 100000), FORECAST_STUCK);
	forecast_try_again(&forecast);
	assert_int_equal(forecast_advise(&forecast), FORECAST_AGAIN);
	assert_int_equal(run(&forecast, 256 * MIB, 10000, 100000), FORECAST_STOP);
}

static void test_bandwidth_of_little(void **state)
{
	struct forecast forecast = { 0 };

	(void)state;
	add(&forecast, 100 * MIB, 100 * MIB, 1000, 0);
	/* A few pages vanish into buffers at once: that says nothing of the way. */
	add(&forecast, MIB, MIB, 1, 1000);
	assert_true(forecast.bandwidth < 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shrinks),		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_does_not_shrink), cmocka_unit_test(test_huge_pages),
		cmocka_unit_test(test_limit),		cmocka_unit_test(test_dumped),
		cmocka_unit_test(test_try_again),	cmocka_unit_test(test_bandwidth_of_little),
	};

	return RUN_ALL(tests);
}
