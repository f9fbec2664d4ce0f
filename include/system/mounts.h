/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is mounted where, as this process sees it.
 */
#ifndef SYSTEM_MOUNTS_H
#define SYSTEM_MOUNTS_H

#include "base/error.h"

/* Is a file system mounted below the directory (not on it)? Returns 1 or 0, -1 when it cannot be found
 * out. */
int mounts_below(const char *path, struct error *err);

#endif
