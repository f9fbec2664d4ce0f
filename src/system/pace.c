// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for keeping a sender to its bandwidth. */
#include "base/wait.h"
#include "system/pace.h"

void pace_begin(struct pace *pace, int64_t sent)
{
	pace->began = wait_clock();
	pace->before = sent;
}

int pace_keep(const struct pace *pace, int64_t sent, struct error *err)
{
	int64_t due;

	if (pace->bandwidth <= 0)
		return 0;
	due = pace->began + (sent - pace->before) * 1000 / pace->bandwidth - wait_clock();
	return due > 0 ? wait_sleep((int)due, err) : 0;
}
