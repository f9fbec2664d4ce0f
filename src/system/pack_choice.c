// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for deciding what is compressed. */
#include "system/pack_choice.h"

#define NS_PER_SECOND 1e9

/* Older bytes count less: half as much whenever there are twice as many as the window has. */
static void add(struct pack_rate *rate, double bytes, double ns, double window)
{
	rate->bytes += bytes;
	rate->ns += ns;
	if (rate->bytes > 2 * window) {
		rate->bytes /= 2;
		rate->ns /= 2;
	}
}

/* How long a byte takes; 0: not known, or no time. */
static double per_byte(const struct pack_rate *rate)
{
	return rate->bytes > 0 ? rate->ns / rate->bytes : 0;
}

static double larger(double one, double other)
{
	return one > other ? one : other;
}

static double link_per_byte(const struct pack_choice *choice)
{
	double link = per_byte(&choice->link);

	return choice->limit > 0 ? larger(link, NS_PER_SECOND / choice->limit) : link;
}

static double ratio_of(const struct pack_choice *choice)
{
	return choice->packing.bytes > 0 ? choice->packed / choice->packing.bytes : 1;
}

/* Would a byte be there sooner if packing took so long and left so much of it? */
static bool pays(const struct pack_choice *choice, double packing, double ratio)
{
	double link = link_per_byte(choice);
	double made = per_byte(&choice->made);

	return larger(made + packing, ratio * link) < PACK_GAIN * larger(made, link);
}

/* What is already in the pipe waits for what is sent raw now. */
static double probe_costs(const struct pack_choice *choice)
{
	return PACK_PIPE_BYTES * (1 - ratio_of(choice)) * link_per_byte(choice);
}

/* What was written from now on is counted; `now` 0: from the next write on, and how full the pipe is by then is
 * not known. */
static void begin_anew(struct pack_choice *choice, int64_t now)
{
	choice->full = choice->full && now != 0;
	choice->since = now;
	choice->written = 0;
	choice->waited = 0;
	choice->mixed = false;
}

/* Only where even the best outcome would be a gain, and where it takes little time beside what is sent. */
static bool is_trial(const struct pack_choice *choice, size_t length)
{
	double costs = (double)length * per_byte(&choice->packing);
	double since = choice->untried * larger(per_byte(&choice->made), link_per_byte(choice));

	if (!pays(choice, 0, 0))
		return false;
	return choice->packing.bytes <= 0 ||
	       (choice->untried >= PACK_TRIAL_BYTES && since >= PACK_TRIAL_SHARE * costs);
}

bool pack_choice_next(struct pack_choice *choice, size_t length)
{
	if (!choice->allowed || length < PACK_LEAST_BYTES || choice->probing > 0)
		return false;
	if (!pays(choice, per_byte(&choice->packing), ratio_of(choice)))
		return is_trial(choice, length);
	/* Where the limit is what counts there is nothing to be felt. */
	if (choice->limit > 0 || choice->spent <= PACK_PROBE_SHARE * probe_costs(choice))
		return true;
	choice->probing = 2 * PACK_PIPE_BYTES;
	choice->spent = 0;
	begin_anew(choice, 0);
	return false;
}

void pack_choice_made(struct pack_choice *choice, size_t length, int64_t ns)
{
	add(&choice->made, (double)length, (double)ns, PACK_WINDOW_CONTENT);
}

void pack_choice_packed(struct pack_choice *choice, size_t raw, size_t packed, int64_t ns)
{
	struct pack_rate *packing = &choice->packing;
	double before = packing->bytes + (double)raw;

	add(packing, (double)raw, (double)ns, PACK_WINDOW_CONTENT);
	choice->packed = (choice->packed + (double)packed) * packing->bytes / before;
	choice->untried = 0;
	choice->spent += (double)ns;
}

/*
 * So long it took from one full pipe to the next. After a pause the pipe may fill behind its first part, which looks
 * faster than the link is. Where less than half of the time was waiting, the link may be faster than it looks: for
 * what goes raw it makes no difference, it is as fast as that goes, but what is packed may be sent so slowly because
 * it is packed.
 */
static void note_link(struct pack_choice *choice, double ns)
{
	bool faster = choice->link.bytes > 0 && ns / choice->written < per_byte(&choice->link);
	bool felt = choice->waited * 2 >= ns || !choice->mixed;

	if (faster ? choice->steady < PACK_PIPE_BYTES : !felt)
		return;
	add(&choice->link, choice->written, ns, PACK_WINDOW_LINK);
	choice->spent = felt ? 0 : choice->spent;
	choice->probing = felt ? 0 : choice->probing;
}

/* More than the pipe holds went in without waiting: the link is at least so fast, or, where what was sent is all
 * that could be made, fast enough. */
static void note_room(struct pack_choice *choice, double ns)
{
	double most = (choice->written - PACK_PIPE_BYTES) / ns;

	if (!choice->mixed)
		choice->link = (struct pack_rate){ 0 };
	else if (choice->link.bytes > 0 && most * per_byte(&choice->link) > 1)
		choice->link = (struct pack_rate){ PACK_WINDOW_LINK, PACK_WINDOW_LINK / most };
	choice->probing = 0;
}

void pack_choice_written(struct pack_choice *choice, size_t length, bool packed, bool waited,
			 int64_t began, int64_t ended)
{
	double bytes = (double)length;

	if (choice->since == 0)
		begin_anew(choice, began);
	choice->steady += bytes;
	choice->written += bytes;
	choice->untried += packed ? 0 : bytes;
	choice->mixed = choice->mixed || packed;
	choice->probing -= choice->probing > 0 ? bytes : 0;
	if (!waited) {
		choice->made.ns += (double)(ended - began);
		if (choice->written >= 2 * PACK_PIPE_BYTES) {
			note_room(choice, (double)(ended - choice->since));
			choice->full = false;
			begin_anew(choice, ended);
		}
		return;
	}
	choice->waited += (double)(ended - began);
	if (choice->full && ended > choice->since)
		note_link(choice, (double)(ended - choice->since));
	choice->full = true;
	begin_anew(choice, ended);
}

void pack_choice_pause(struct pack_choice *choice)
{
	begin_anew(choice, 0);
	choice->steady = 0;
}
