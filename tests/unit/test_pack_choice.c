// SPDX-License-Identifier: GPL-2.0-or-later
/* What is compressed: on links, processors and contents of every kind it takes no longer than the better of all and
 * nothing, and it is noticed when they change. */
#include "base/memory.h"
#include "system/image_stream.h"
#include "system/pack_choice.h"
#include "unit.h"

#define MIB ((double)(1 << 20))
#define PIECE ((double)IMAGE_DATA_MAX)

/* What is between the sender and the link, and how finely its flow is reckoned. */
#define SOCKET ((double)(208 << 10))
#define BEHIND ((double)(2 << 20))
#define CARRIER 2e9
#define COPYING 5e9
#define STEP_BYTES 16384.0

/* Bytes a second, and what is left of a byte. */
struct way {
	double link;
	double made;
	double packed;
	double ratio;
};

enum manner { CHOSEN, NEVER, ALWAYS };

/* A sender, its pipe, and the clock. */
struct model {
	struct pack_choice choice;
	enum manner manner;
	struct way way;
	double now;
	double last_end;
	double socket; /* bytes in it */
	double behind; /* in all that comes after it */
	double wire;   /* bytes that were sent */
	double tried;  /* bytes that zstd had to look at */
};

static double step_of(const struct model *model)
{
	return STEP_BYTES * 1e9 / model->way.link;
}

static void flow(struct model *model, double ns)
{
	while (ns > 0) {
		double step = ns < step_of(model) ? ns : step_of(model);
		double out = model->way.link * step / 1e9;
		double over = CARRIER * step / 1e9;

		model->behind = model->behind > out ? model->behind - out : 0;
		over = over < model->socket ? over : model->socket;
		over = over < BEHIND - model->behind ? over : BEHIND - model->behind;
		model->socket -= over;
		model->behind += over;
		model->now += step;
		ns -= step;
	}
}

static bool write_bytes(struct model *model, double length)
{
	bool waited = false;

	while (length > 0) {
		double room = SOCKET - model->socket;
		double some = length < room ? length : room;

		model->socket += some;
		length -= some;
		flow(model, some * 1e9 / COPYING);
		if (length > 0) {
			waited = true;
			flow(model, step_of(model));
		}
	}
	return waited;
}

static void send_piece(struct model *model, double length)
{
	struct pack_choice *choice = &model->choice;
	double began;
	bool packs;
	bool waited;

	flow(model, length * 1e9 / model->way.made);
	if (model->last_end > 0)
		pack_choice_made(choice, (size_t)length, (int64_t)(model->now - model->last_end));
	packs = model->manner == CHOSEN ? pack_choice_next(choice, (size_t)length)
					: model->manner == ALWAYS;
	if (packs) {
		double ns = length * 1e9 / model->way.packed;

		model->tried += length;
		flow(model, ns);
		pack_choice_packed(choice, (size_t)length, (size_t)(length * model->way.ratio),
				   (int64_t)ns);
		packs = model->way.ratio < 1;
	}
	length = packs ? length * model->way.ratio : length;
	model->wire += length;
	began = model->now;
	waited = write_bytes(model, length);
	pack_choice_written(choice, (size_t)length, packs, waited, (int64_t)began,
			    (int64_t)model->now);
	model->last_end = model->now;
}

static void send_bytes(struct model *model, double bytes)
{
	for (double done = 0; done < bytes; done += PIECE)
		send_piece(model, PIECE);
}

static void pause_for(struct model *model, double ns)
{
	flow(model, ns);
	model->last_end = 0;
	pack_choice_pause(&model->choice);
}

static struct model model_of(struct way way, enum manner manner)
{
	return (struct model){
		.choice = { .allowed = true },
		.manner = manner,
		.way = way,
		.now = 1,
	};
}

/* Until the last byte is over. */
static double seconds_of(const struct model *model)
{
	return (model->now + (model->socket + model->behind) * 1e9 / model->way.link) / 1e9;
}

static double seconds_for(struct way way, enum manner manner, double bytes)
{
	struct model model = model_of(way, manner);

	send_bytes(&model, bytes);
	return seconds_of(&model);
}

static const double links[] = { 1.25e6, 12.5e6, 60e6, 117e6, 300e6, 600e6, 1.2e9, 5e9 };
static const double makers[] = { 3e9, 8e8, 2e8 };
static const struct {
	const char *name;
	double packed;
	double ratio;
} contents[] = {
	{ "random", 8e9, 1 },	     { "random, slow machine", 4e8, 1 },
	{ "half zero", 2e9, 0.5 },   { "text", 1e9, 0.14 },
	{ "text, slow", 1e8, 0.14 }, { "hardly smaller", 6e8, 0.9 },
	{ "very slow", 3e7, 0.1 },   { "nearly empty", 3e9, 0.01 },
};

/* What must be found out on the first megabytes, and felt again later, costs something. */
static void try_way(const char *name, struct way way)
{
	const double bytes = 128 * MIB;
	double raw = seconds_for(way, NEVER, bytes);
	double packed = seconds_for(way, ALWAYS, bytes);
	double chosen = seconds_for(way, CHOSEN, bytes);
	double best = raw < packed ? raw : packed;

	if (chosen > best * 1.15 + raw * 8 * MIB / bytes)
		fail_msg("link %.1f MB/s, made %.0f MB/s, %s: %.3f s; raw %.3f s, packed %.3f s",
			 way.link / 1e6, way.made / 1e6, name, chosen, raw, packed);
}

static void test_it_is_no_slower_than_the_better(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(links); i++)
		for (size_t k = 0; k < COUNT_OF(contents); k++)
			for (size_t m = 0; m < COUNT_OF(makers); m++)
				try_way(contents[k].name,
					(struct way){ links[i], makers[m], contents[k].packed,
						      contents[k].ratio });
}

/* But for what trying costs, a part in PACK_TRIAL_SHARE. */
static void test_what_cannot_be_compressed_is_as_fast(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(links); i++)
		for (size_t m = 0; m < COUNT_OF(makers); m++) {
			struct way way = { links[i], makers[m], 8e9, 1 };
			struct model model = model_of(way, CHOSEN);

			send_bytes(&model, 256 * MIB);
			assert_true(model.tried <= 256 * MIB / 16 + PIECE);
			if (seconds_of(&model) > 1.015 * seconds_for(way, NEVER, 256 * MIB))
				fail_msg("link %.1f MB/s, made %.0f MB/s", links[i] / 1e6,
					 makers[m] / 1e6);
		}
}

/* Where nobody waits for the link nothing is even tried. */
static void test_a_fast_link_needs_nothing(void **state)
{
	struct model model = model_of((struct way){ 5e9, 2e8, 3e9, 0.01 }, CHOSEN);

	(void)state;
	send_bytes(&model, 256 * MIB);
	assert_true(model.tried == 0);
}

static void test_it_is_not_allowed(void **state)
{
	struct model model = model_of((struct way){ 1e6, 1e9, 1e9, 0.1 }, CHOSEN);

	(void)state;
	model.choice.allowed = false;
	send_bytes(&model, 16 * MIB);
	assert_true(model.tried == 0);
	assert_true(model.wire >= 16 * MIB);
}

/* A link that is fast, but of which so much may be used: whoever was faster waits before the next piece, and not for
 * the pipe. */
static double sent_with_limit(double limit, double ratio)
{
	struct model model = model_of((struct way){ 5e9, 1e9, 1e9, ratio }, CHOSEN);

	model.choice.limit = limit;
	while (model.wire < 64 * MIB) {
		double due;

		send_bytes(&model, PIECE);
		due = model.wire * 1e9 / limit - model.now;
		if (due > 0)
			pause_for(&model, due);
	}
	return model.tried / 64 / MIB;
}

static void test_a_limit_counts_as_the_link(void **state)
{
	(void)state;
	/* All of it, and a few of it. */
	assert_true(sent_with_limit(20e6, 0.5) > 1.9);
	assert_in_range((int)(sent_with_limit(20e6, 1) * 100), 1, 8);
	assert_in_range((int)(sent_with_limit(5e9, 0.5) * 100), 0, 8);
}

static void test_contents_change(void **state)
{
	struct model model = model_of((struct way){ 117e6, 1e9, 8e9, 1 }, CHOSEN);
	double before;

	(void)state;
	send_bytes(&model, 128 * MIB);
	assert_true(model.wire >= 128 * MIB);
	model.way.packed = 1e9;
	model.way.ratio = 0.14;
	before = model.wire;
	send_bytes(&model, 128 * MIB);
	/* The first in which it was looked, and then nearly all. */
	assert_true(model.wire - before < 0.14 * 128 * MIB + 6 * MIB);
	model.way.packed = 8e9;
	model.way.ratio = 1;
	before = model.tried;
	send_bytes(&model, 128 * MIB);
	assert_true(model.tried - before < 16 * MIB);
}

static void test_the_link_becomes_fast_and_slow(void **state)
{
	struct model model = model_of((struct way){ 30e6, 1e9, 1.5e8, 0.14 }, CHOSEN);
	double before;

	(void)state;
	send_bytes(&model, 64 * MIB);
	assert_true(model.tried > 56 * MIB);
	/* Packing is what takes the time now, and nobody sees that the link is fast, but by trying. */
	model.way.link = 5e9;
	send_bytes(&model, 512 * MIB);
	before = model.tried;
	send_bytes(&model, 256 * MIB);
	assert_true(model.tried - before < 16 * MIB);
	model.way.link = 30e6;
	send_bytes(&model, 16 * MIB);
	before = model.tried;
	send_bytes(&model, 64 * MIB);
	assert_true(model.tried - before > 56 * MIB);
}

/* Rounds, and the last difference: the pipe is empty, and takes it without waiting; but what was known still holds. */
static void test_little_after_a_pause(void **state)
{
	struct model model = model_of((struct way){ 12.5e6, 1e9, 1e9, 0.14 }, CHOSEN);
	double before;

	(void)state;
	send_bytes(&model, 64 * MIB);
	for (int round = 0; round < 10; round++) {
		pause_for(&model, 1e9);
		before = model.tried;
		send_bytes(&model, 2 * MIB);
		assert_true(model.tried - before >= 2 * MIB);
	}
}

static void test_little_pieces_are_left_alone(void **state)
{
	struct pack_choice choice = { .allowed = true, .limit = 1 };

	(void)state;
	assert_true(pack_choice_next(&choice, PACK_LEAST_BYTES));
	assert_false(pack_choice_next(&choice, PACK_LEAST_BYTES - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_no_slower_than_the_better),
		cmocka_unit_test(test_what_cannot_be_compressed_is_as_fast),
		cmocka_unit_test(test_a_fast_link_needs_nothing),
		cmocka_unit_test(test_it_is_not_allowed),
		cmocka_unit_test(test_a_limit_counts_as_the_link),
		cmocka_unit_test(test_contents_change),
		cmocka_unit_test(test_the_link_becomes_fast_and_slow),
		cmocka_unit_test(test_little_after_a_pause),
		cmocka_unit_test(test_little_pieces_are_left_alone),
	};

	return RUN_ALL(tests);
}
