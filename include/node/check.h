/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preconditions of one node, found out without changing anything; and the one act that can only be
 * checked by doing it: the start.
 */
#ifndef NODE_CHECK_H
#define NODE_CHECK_H

#include "base/error.h"
#include "node/host.h"
#include "node/staging.h"
#include "runtime/runtime.h"

/* rsync and the runtime's programs are there; with `online` criu's too. EXIT_RUNTIME. */
int check_programs(const struct runtime *runtime, bool online, struct error *err);

/* Every process of the running container is one that criu will find: EXIT_TECHNOLOGIES names one that
 * was put into it from outside and would be lost. */
int check_processes(const struct container *container, struct error *err);

/* The container may arrive: name and directories free (EXIT_EXISTS), addresses free
 * (EXIT_IP_INUSE), what it needs from the node is there (EXIT_TECHNOLOGIES). */
int check_destination(struct host *host, const struct areas *areas, struct error *err);

/* Starts the container that has arrived. Returns 1; 0 when it does not run here for certain. */
int check_start(struct host *host, struct error *err);

#endif
