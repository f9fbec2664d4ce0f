/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending no faster than a limit says, over all of a round.
 */
#ifndef SYSTEM_PACE_H
#define SYSTEM_PACE_H

#include <stdint.h>

#include "base/error.h"
#include "system/image_writer.h"

struct pace {
	int64_t bandwidth;	     /* bytes a second; 0: no limit */
	int64_t began;		     /* wait_clock() */
	struct image_traffic before; /* what had been sent then */
};

void pace_begin(struct pace *pace, const struct image_writer *writer);

/* Waits until what the writer has sent since is no more than the limit allows. */
int pace_keep(const struct pace *pace, struct image_writer *writer, struct error *err);

#endif
