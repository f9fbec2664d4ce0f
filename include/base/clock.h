/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time of day, for who compares it with files, logs and other nodes; durations are wait_clock()'s.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Since 1970. */
int64_t clock_of_day_ns(void);
int64_t clock_of_day_ms(void);

#endif
