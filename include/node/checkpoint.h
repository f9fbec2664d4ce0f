/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dump and restore on one node, each held in criu's hook until the migration says how it ends.
 * The container's processes run on the source until checkpoint_dump() returns, on the destination
 * from checkpoint_resume() on, and in between nowhere.
 */
#ifndef NODE_CHECKPOINT_H
#define NODE_CHECKPOINT_H

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/* Both nodes, before the freeze: images directory on its own tmpfs, and the hook. */
int checkpoint_prepare(struct host *host, struct error *err);

/* Source: dumps the container and holds it frozen (EXIT_VE_STOP). */
int checkpoint_dump(struct host *host, struct error *err);

/* Source, after RUNNING was heard: the frozen tree is killed without running another
 * instruction. */
int checkpoint_release(struct host *host, struct error *err);

/* Undo of the dump: the tree runs on. {"freezer"} */
int checkpoint_resume_source(struct host *host, json_object *arguments, struct error *err);

/* Destination, with everything in place: makes the network devices, restores the container and
 * holds it (EXIT_VE_START). */
int checkpoint_restore(struct host *host, struct error *err);

/* Destination, after it was told: the tree runs. Returns 1; 0 when it could not and is gone. */
int checkpoint_resume(struct host *host, struct error *err);

/* Undo of the restore: the held tree is killed. */
int checkpoint_drop(struct host *host, json_object *arguments, struct error *err);

/* Destination, when there is time: waits for the end of the restore's own clean-up. */
int checkpoint_settle(struct host *host, struct error *err);

#endif
