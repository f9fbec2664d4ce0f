/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the stop will be, told from the rounds that were made of the memory, and whether another round
 * would make it shorter. Pure: it looks at numbers only.
 */
#ifndef MIGRATION_FORECAST_H
#define MIGRATION_FORECAST_H

#include <stdint.h>

/* What freeze, dump, restore and switch take without any memory: 0.35-0.6 s in the lab (HACKING.md). */
#define FORECAST_FIXED_MS 400

/* How fast pages that may have changed are compared with what was sent: 1 GiB a second, in bytes a ms. */
#define FORECAST_COMPARED_PER_MS ((double)(1 << 30) / 1000)

/* How fast criu writes memory that is shared or locked, in the stop, and reads it again there, in bytes a ms. */
#define FORECAST_DUMPED_PER_MS ((double)(1 << 30) / 2000)

/* Nobody notices what would become shorter by less than this. */
#define FORECAST_WORTH_MS 20

/* A round that leaves more than this share of the one before gained nothing; so many such end it. */
#define FORECAST_SHRINKS_TO 0.8
#define FORECAST_PATIENCE 2

/* However well it goes. */
#define FORECAST_ROUNDS_MAX 30

/* What a round was. */
struct forecast_round {
	int64_t changed;      /* bytes that had to be looked at */
	int64_t sent;	      /* of that, what was different from what the destination had */
	int64_t milliseconds; /* that it took */
	int64_t since_ms;     /* from the beginning of the one before to its own */
	int64_t dumped;	      /* bytes that criu will dump, though most of them are over there */
};

struct forecast {
	int64_t limit_ms; /* --max-downtime; 0: none was asked for */
	int rounds;
	int stalled; /* rounds in a row that did not shrink */
	struct forecast_round last;
	double bandwidth; /* the best so far, in bytes a millisecond; 0: not known yet */
};

enum forecast_advice {
	FORECAST_AGAIN, /* another round makes the stop shorter */
	FORECAST_STOP,	/* it is as short as was asked for, or as it can be */
	FORECAST_STUCK, /* it does not become shorter: the container changes its memory too fast */
	FORECAST_LONG,	/* it is as short as it can be, and that is longer than was asked for */
};

void forecast_add(struct forecast *forecast, const struct forecast_round *round);

/* How long the stop would be if the container were frozen after one more round. */
int64_t forecast_stop_ms(const struct forecast *forecast);

enum forecast_advice forecast_advise(const struct forecast *forecast);

/* The container was slowed down: it is worth trying again. */
void forecast_try_again(struct forecast *forecast);

#endif
