/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory this program, and what it starts, can still get.
 */
#ifndef SYSTEM_MEMORY_LEFT_H
#define SYSTEM_MEMORY_LEFT_H

#include <stdint.h>

#include "base/error.h"

/* Bytes: what the kernel calls available, and no more than the memory cgroups above this process have
 * left. -1 on failure. */
int64_t memory_left(struct error *err);

#endif
