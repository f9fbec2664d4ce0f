// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a process's memory is missing: each operation, at the edges of 64 bits, and a long random history
 * beside a model that has one number for each byte. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "system/lazy_ranges.h"
#include "unit.h"

#define TOP UINT64_MAX

/* Each range of the set, in order, and no other; { 0 } is the end. */
static void assert_ranges(const struct lazy_ranges *ranges, const struct lazy_range *expected)
{
	struct lazy_range found;
	uint64_t bytes = 0;
	uint64_t at = 0;

	for (; expected->end > 0; expected++) {
		assert_true(lazy_ranges_find(ranges, at, &found));
		assert_true(found.start == expected->start);
		assert_true(found.end == expected->end);
		assert_true(found.origin == expected->origin);
		bytes += found.end - found.start;
		at = found.end;
	}
	assert_false(lazy_ranges_find(ranges, at, &found));
	assert_true(ranges->bytes == bytes);
}

#define RANGES(...) ((const struct lazy_range[]){ __VA_ARGS__, { 0 } })
#define NO_RANGES ((const struct lazy_range[]){ { 0 } })

static void test_empty(void **state)
{
	CLEANUP(lazy_ranges_release) struct lazy_ranges ranges = { 0 };

	(void)state;
	lazy_ranges_drop(&ranges, 0, TOP);
	lazy_ranges_move(&ranges, 0, 100, TOP);
	lazy_ranges_add(&ranges, 10, 10, 0);
	lazy_ranges_add(&ranges, 10, 5, 0);
	assert_ranges(&ranges, NO_RANGES);
}

static void test_finding(void **state)
{
	CLEANUP(lazy_ranges_release) struct lazy_ranges ranges = { 0 };
	struct lazy_range found;

	(void)state;
	lazy_ranges_add(&ranges, 100, 200, 1100);
	lazy_ranges_add(&ranges, 300, 400, 2300);
	for (uint64_t at = 0; at < 500; at++) {
		bool is_there = lazy_ranges_find(&ranges, at, &found);

		assert_int_equal(is_there, at < 400);
		if (is_there)
			assert_true(found.start == (at < 200 ? 100 : 300));
	}
}

/* What follows in memory and in the store is one range; what follows only in one of them is not. */
static void test_neighbours(void **state)
{
	CLEANUP(lazy_ranges_release) struct lazy_ranges ranges = { 0 };

	(void)state;
	lazy_ranges_add(&ranges, 10, 20, 10);
	lazy_ranges_add(&ranges, 20, 30, 20);
	lazy_ranges_add(&ranges, 30, 40, 50);
	lazy_ranges_add(&ranges, 41, 50, 61);
	assert_ranges(&ranges, RANGES({ 10, 30, 10 }, { 30, 40, 50 }, { 41, 50, 61 }));
}

/* What is said last counts. */
static void test_adding_over(void **state)
{
	CLEANUP(lazy_ranges_release) struct lazy_ranges ranges = { 0 };

	(void)state;
	lazy_ranges_add(&ranges, 10, 40, 10);
	lazy_ranges_add(&ranges, 20, 30, 500);
	assert_ranges(&ranges, RANGES({ 10, 20, 10 }, { 20, 30, 500 }, { 30, 40, 30 }));
	lazy_ranges_add(&ranges, 0, 100, 7);
	assert_ranges(&ranges, RANGES({ 0, 100, 7 }));
}

static void test_dropping(void **state)
{
	static const struct {
		uint64_t start;
		uint64_t end;
		struct lazy_range left[4];
	} cases[] = {
		{ 0, 100, { { 100, 200, 1100 }, { 300, 400, 300 } } },
		{ 200, 300, { { 100, 200, 1100 }, { 300, 400, 300 } } },
		{ 150, 150, { { 100, 200, 1100 }, { 300, 400, 300 } } },
		{ 160, 140, { { 100, 200, 1100 }, { 300, 400, 300 } } },
		{ 400, TOP, { { 100, 200, 1100 }, { 300, 400, 300 } } },
		{ 0, 150, { { 150, 200, 1150 }, { 300, 400, 300 } } },
		{ 100, 101, { { 101, 200, 1101 }, { 300, 400, 300 } } },
		{ 120, 130, { { 100, 120, 1100 }, { 130, 200, 1130 }, { 300, 400, 300 } } },
		{ 199, 200, { { 100, 199, 1100 }, { 300, 400, 300 } } },
		{ 150, 350, { { 100, 150, 1100 }, { 350, 400, 350 } } },
		{ 100, 200, { { 300, 400, 300 } } },
		{ 250, TOP, { { 100, 200, 1100 } } },
		{ 0, TOP, { { 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(lazy_ranges_release) struct lazy_ranges ranges = { 0 };

		lazy_ranges_add(&ranges, 300, 400, 300);
		lazy_ranges_add(&ranges, 100, 200, 1100);
		lazy_ranges_drop(&ranges, cases[i].start, cases[i].end);
		assert_ranges(&ranges, cases[i].left);
	}
}

static void test_moving(void **state)
{
	static const struct {
		uint64_t from;
		uint64_t to;
		uint64_t length;
		struct lazy_range left[5];
	} cases[] = {
		/* all of a range, a part, parts of two, nothing */
		{ 100, 1000, 100, { { 300, 400, 300 }, { 1000, 1100, 1100 } } },
		{ 120,
		  1000,
		  10,
		  { { 100, 120, 1100 },
		    { 130, 200, 1130 },
		    { 300, 400, 300 },
		    { 1000, 1010, 1120 } } },
		{ 150,
		  1000,
		  200,
		  { { 100, 150, 1100 },
		    { 350, 400, 350 },
		    { 1000, 1050, 1150 },
		    { 1150, 1200, 300 } } },
		{ 200, 1000, 100, { { 100, 200, 1100 }, { 300, 400, 300 } } },
		{ 100, 1000, 0, { { 100, 200, 1100 }, { 300, 400, 300 } } },
		/* down, over what is there, over itself, onto itself */
		{ 300, 0, 100, { { 0, 100, 300 }, { 100, 200, 1100 } } },
		{ 100, 350, 100, { { 300, 350, 300 }, { 350, 450, 1100 } } },
		{ 0, 320, 50, { { 100, 200, 1100 }, { 300, 320, 300 }, { 370, 400, 370 } } },
		{ 100, 150, 100, { { 150, 250, 1100 }, { 300, 400, 300 } } },
		{ 100, 100, 300, { { 100, 200, 1100 }, { 300, 400, 300 } } },
		/* where 64 bits end */
		{ 100, TOP - 30, 100, { { 300, 400, 300 }, { TOP - 30, TOP, 1100 } } },
		{ 0, TOP - 100, 200, { { 300, 400, 300 } } },
		{ 0, 50, TOP, { { 150, 250, 1100 }, { 350, 450, 300 } } },
		{ 150, TOP, TOP, { { 100, 150, 1100 } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(lazy_ranges_release) struct lazy_ranges ranges = { 0 };

		lazy_ranges_add(&ranges, 100, 200, 1100);
		lazy_ranges_add(&ranges, 300, 400, 300);
		lazy_ranges_move(&ranges, cases[i].from, cases[i].to, cases[i].length);
		assert_ranges(&ranges, cases[i].left);
	}
}

/* The naive model: for each byte where it comes from, or nothing. */
#define MODEL_BYTES 4000
#define MODEL_SETS 4
#define NOWHERE UINT32_MAX

struct model {
	uint32_t origins[MODEL_BYTES];
};

static void model_fill(struct model *model, uint64_t start, uint64_t end, uint32_t origin)
{
	for (uint64_t at = start; at < end && at < MODEL_BYTES; at++)
		model->origins[at] = origin == NOWHERE ? NOWHERE : origin + (uint32_t)(at - start);
}

static void model_move(struct model *model, uint64_t from, uint64_t to, uint64_t length)
{
	static uint32_t moved[MODEL_BYTES];

	if (length > MODEL_BYTES - from)
		length = MODEL_BYTES - from;
	memcpy(moved, &model->origins[from], length * sizeof(*moved));
	model_fill(model, from, from + length, NOWHERE);
	for (uint64_t i = 0; i < length && to + i < MODEL_BYTES; i++)
		model->origins[to + i] = moved[i];
}

/* Every byte is missing in both or in neither, and comes from the same place. */
static void compare(const struct lazy_ranges *ranges, const struct model *model)
{
	struct lazy_range range = { 0 };
	uint64_t bytes = 0;
	uint64_t at = 0;

	while (lazy_ranges_find(ranges, at, &range)) {
		assert_true(range.start >= at && range.end > range.start);
		assert_true(range.end <= MODEL_BYTES);
		for (; at < range.start; at++)
			assert_int_equal(model->origins[at], NOWHERE);
		for (; at < range.end; at++)
			assert_int_equal(model->origins[at], range.origin + (at - range.start));
		bytes += range.end - range.start;
	}
	for (; at < MODEL_BYTES; at++)
		assert_int_equal(model->origins[at], NOWHERE);
	assert_true(ranges->bytes == bytes);
}

static uint64_t random_below(unsigned int *seed, uint64_t limit)
{
	return (uint64_t)rand_r(seed) % limit;
}

/* Forks copy a set, exits release one, and all the others are small changes at random places. */
static void act(struct lazy_ranges *sets, struct model *models, unsigned int *seed)
{
	uint64_t start = random_below(seed, MODEL_BYTES);
	uint64_t length = random_below(seed, random_below(seed, 8) == 0 ? 700 : 5);
	uint64_t end = start + length < MODEL_BYTES ? start + length : MODEL_BYTES;
	uint64_t to = random_below(seed, MODEL_BYTES - (end - start) + 1);
	uint32_t origin = (uint32_t)random_below(seed, 1 << 30);
	size_t one = random_below(seed, MODEL_SETS);
	size_t other = random_below(seed, MODEL_SETS);
	uint64_t kind = random_below(seed, 100);

	if (kind == 0 && one != other) {
		lazy_ranges_release(&sets[one]);
		lazy_ranges_copy(&sets[one], &sets[other]);
		models[one] = models[other];
	} else if (kind == 1) {
		/* Many small ones, so that there are many blocks. */
		for (uint64_t at = 0; at < MODEL_BYTES; at += 2) {
			lazy_ranges_add(&sets[one], at, at + 1, at);
			model_fill(&models[one], at, at + 1, (uint32_t)at);
		}
	} else if (kind < 40) {
		lazy_ranges_add(&sets[one], start, end, origin);
		model_fill(&models[one], start, end, origin);
	} else if (kind < 70) {
		lazy_ranges_drop(&sets[one], start, end);
		model_fill(&models[one], start, end, NOWHERE);
	} else {
		lazy_ranges_move(&sets[one], start, to, end - start);
		model_move(&models[one], start, to, end - start);
	}
}

static void test_random_history(void **state)
{
	static struct model models[MODEL_SETS];
	struct lazy_ranges sets[MODEL_SETS] = { 0 };
	unsigned int seed = 20240607;

	(void)state;
	memset(models, 0xff, sizeof(models));
	for (unsigned int i = 0; i < 20000; i++) {
		act(sets, models, &seed);
		if (i % 10 == 0)
			for (size_t k = 0; k < MODEL_SETS; k++)
				compare(&sets[k], &models[k]);
	}
	for (size_t k = 0; k < MODEL_SETS; k++)
		lazy_ranges_release(&sets[k]);
}

/* A hundred thousand pages, each apart, served in an order as faults come; a copy of it all for each of a
 * thousand children. In the unit tests' time this is only possible with neither linear in the number. */
static void test_many(void **state)
{
	const uint64_t count = 100000;
	CLEANUP(lazy_ranges_release) struct lazy_ranges ranges = { 0 };
	uint64_t page = 0;

	(void)state;
	for (uint64_t i = 0; i < count; i++)
		lazy_ranges_add(&ranges, 2 * i, 2 * i + 1, 2 * i);
	assert_true(ranges.bytes == count);
	for (uint64_t i = 0; i < 1000; i++) {
		CLEANUP(lazy_ranges_release) struct lazy_ranges child = { 0 };

		lazy_ranges_copy(&child, &ranges);
		lazy_ranges_drop(&child, 2 * i, 2 * i + 1);
		assert_true(child.bytes == count - 1);
	}
	for (uint64_t i = 0; i < count; i++) {
		struct lazy_range range;

		page = (page + 61803) % count;
		assert_true(lazy_ranges_find(&ranges, 2 * page, &range));
		assert_true(range.start == 2 * page && range.origin == 2 * page);
		lazy_ranges_drop(&ranges, 2 * page, 2 * page + 1);
	}
	assert_ranges(&ranges, NO_RANGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	       cmocka_unit_test(test_finding),
		cmocka_unit_test(test_neighbours),     cmocka_unit_test(test_adding_over),
		cmocka_unit_test(test_dropping),       cmocka_unit_test(test_moving),
		cmocka_unit_test(test_random_history), cmocka_unit_test(test_many),
	};

	return RUN_ALL(tests);
}
