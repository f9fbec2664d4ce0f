// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for telling from the rounds made so far how long the stop will be. */
#include <stdbool.h>

#include "migration/forecast.h"

/* What is sent in less says more about buffers than about the way. */
#define TELLING_BYTES (4 << 20)

static double at_least_one(int64_t milliseconds)
{
	return milliseconds > 0 ? (double)milliseconds : 1;
}

void forecast_add(struct forecast *forecast, const struct forecast_round *round)
{
	double bandwidth = (double)round->sent / at_least_one(round->milliseconds);
	bool shrank = (double)round->sent < (double)forecast->last.sent * FORECAST_SHRINKS_TO;

	/* The first round sends all that there is, not what changed. */
	if (forecast->rounds > 0)
		forecast->stalled = shrank ? 0 : forecast->stalled + 1;
	if (forecast->bandwidth <= 0 ||
	    (round->sent >= TELLING_BYTES && bandwidth > forecast->bandwidth))
		forecast->bandwidth = bandwidth;
	forecast->last = *round;
	forecast->rounds++;
}

/*
 * When it is frozen after one more round, what is left is what changes during that round, which takes as long
 * as this one, or less: as much less as there was less to send.
 */
static double left_ms(const struct forecast *forecast)
{
	const struct forecast_round *last = &forecast->last;
	double since = at_least_one(last->since_ms);
	double share = at_least_one(last->milliseconds) / since;
	double sent = (double)last->sent * (share < 1 ? share : 1);
	double changed = (double)last->changed * (share < 1 ? share : 1);

	if (forecast->bandwidth <= 0 || forecast->rounds < 2)
		return 0;
	return sent / forecast->bandwidth + changed / FORECAST_COMPARED_PER_MS;
}

int64_t forecast_stop_ms(const struct forecast *forecast)
{
	double dumped = (double)forecast->last.dumped / FORECAST_DUMPED_PER_MS;

	return FORECAST_FIXED_MS + (int64_t)(left_ms(forecast) + dumped);
}

/* Is it as short as was asked for, or is what is left not worth another round? */
static bool is_short(const struct forecast *forecast)
{
	if (forecast->limit_ms > 0)
		return forecast_stop_ms(forecast) <= forecast->limit_ms;
	return left_ms(forecast) < FORECAST_WORTH_MS;
}

enum forecast_advice forecast_advise(const struct forecast *forecast)
{
	/* After the first round it is not known yet what changes. */
	if (forecast->rounds < 2)
		return FORECAST_AGAIN;
	if (is_short(forecast))
		return FORECAST_STOP;
	if (left_ms(forecast) < FORECAST_WORTH_MS)
		return FORECAST_LONG;
	if (forecast->stalled < FORECAST_PATIENCE && forecast->rounds < FORECAST_ROUNDS_MAX)
		return FORECAST_AGAIN;
	return FORECAST_STUCK;
}

void forecast_try_again(struct forecast *forecast)
{
	forecast->stalled = 0;
}
