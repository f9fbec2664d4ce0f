/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The destination's part of a live migration: the container is restored and held frozen.
 */
#ifndef NODE_RESTORE_H
#define NODE_RESTORE_H

#include <stdbool.h>

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/* With the files in place, before the images are there: makes the network devices, and starts the runtime as
 * far as that goes without images (EXIT_VE_START). */
int restore_arm(struct host *host, bool memory_apart, struct error *err);

/* With everything in place, armed or not: restores the container and holds it (EXIT_VE_START). */
int restore_container(struct host *host, bool memory_apart, struct error *err);

/*
 * After it was told: the tree runs. Returns 1; 0 when it could not and is gone: nothing of it ran, and the
 * source may have it back. Where it has run already, or nobody else can (`alone`), it is started from
 * its files instead.
 */
int restore_resume(struct host *host, bool alone, struct error *err);

/* Undo of the restore: what is held is refused and killed. */
int restore_drop(struct host *host, json_object *arguments, struct error *err);

/* The same when it was held: what criu left in its cgroup dies too. {"freezer"} */
int restore_kill(struct host *host, json_object *arguments, struct error *err);

/* Returns when what runs has all of its memory. Where that cannot be, it has been ended, and is started again from
 * its files, with a warning. */
int restore_await_memory(struct host *host, struct error *err);

/* When there is time: waits for the end of the restore's own clean-up. */
int restore_settle(struct host *host, struct error *err);

#endif
