// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for keeping a sender to its bandwidth. */
#include "base/wait.h"
#include "system/pace.h"

void pace_begin(struct pace *pace, const struct image_writer *writer)
{
	pace->began = wait_clock();
	pace->before = writer->traffic;
}

int pace_keep(const struct pace *pace, struct image_writer *writer, struct error *err)
{
	int64_t sent = writer->traffic.sent - pace->before.sent;
	int64_t due;

	if (pace->bandwidth <= 0)
		return 0;
	due = pace->began + sent * 1000 / pace->bandwidth - wait_clock();
	if (due <= 0)
		return 0;
	image_writer_pause(writer);
	return wait_sleep((int)due, err);
}
