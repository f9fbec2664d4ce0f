/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending no faster than a limit says, over all of a round.
 */
#ifndef SYSTEM_PACE_H
#define SYSTEM_PACE_H

#include <stdint.h>

#include "base/error.h"

struct pace {
	int64_t bandwidth; /* bytes a second; 0: no limit */
	int64_t began;	   /* wait_clock() */
	int64_t before;	   /* bytes that had been sent then */
};

void pace_begin(struct pace *pace, int64_t sent);

/* `sent` bytes have been sent by now: waits until that is no more than the limit allows. */
int pace_keep(const struct pace *pace, int64_t sent, struct error *err);

#endif
