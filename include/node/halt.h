/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source's container stops running without criu: for good, or for the last pass of a copy
 * (--readonly). Whatever becomes of this process, the journal says how it runs again.
 */
#ifndef NODE_HALT_H
#define NODE_HALT_H

#include "base/error.h"
#include "node/host.h"

/* Shuts it down, after the grace by force (EXIT_VE_STOP). */
int halt_stop(struct host *host, int grace_seconds, struct error *err);

/* Freezes its cgroup, and thaws it. */
int halt_pause(struct host *host, struct error *err);
int halt_unpause(struct host *host, struct error *err);

#endif
