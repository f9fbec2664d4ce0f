/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of this node that belong to a migration, found by what tells so after a crash too, when nobody
 * remembers their pids: criu, its hook and whoever started them carry the migration's run directory in their
 * arguments; what criu starts in the container's network, its work directory in the environment; the rsyncs
 * of the source's connection, the same login.
 */
#ifndef SYSTEM_PROCESSES_H
#define SYSTEM_PROCESSES_H

#include <stdbool.h>

#include "base/error.h"

/* Is there a process with an argument below `directory`, or with the path of something below `work` in its
 * environment (NULL: that does not count)? This program does not count, in any of its modes but the hook and
 * the gate: what receives images, for one, has their directory among its arguments. */
bool processes_name(const char *directory, const char *work);

/* Waits, at most timeout_ms, until there is none. */
int processes_wait_for_end(const char *directory, const char *work, int timeout_ms,
			   struct error *err);

/* Sends SIGTERM to the programs of that name which were started by the login that this process is of, and waits until
 * they have ended, at most timeout_ms. A peer that falls silent leaves them waiting for hours. */
void processes_end_of_login(const char *program, int timeout_ms);

/* SIGKILL to the programs of that name that have an argument, or something in their environment, below `directory`. */
void processes_kill(const char *directory, const char *program);

#endif
