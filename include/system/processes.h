/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of this node by what their command lines name: criu, its hook and whoever started them
 * carry the run directory of their migration in their arguments, so they are found after a crash too,
 * when nobody remembers their pids.
 */
#ifndef SYSTEM_PROCESSES_H
#define SYSTEM_PROCESSES_H

#include <stdbool.h>

#include "base/error.h"

/* Is there a process, other than this one, with an argument below `directory`? */
bool processes_name(const char *directory);

/* Waits, at most timeout_ms, until there is none. */
int processes_wait_for_end(const char *directory, int timeout_ms, struct error *err);

#endif
