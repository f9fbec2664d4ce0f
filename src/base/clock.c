// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the time of day. */
#include <time.h>

#include "base/clock.h"

int64_t clock_of_day_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_of_day_ms(void)
{
	return clock_of_day_ns() / 1000000;
}
