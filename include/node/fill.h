/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The destination's part in memory that goes apart from the images: a process of its own (`vzmigrate --fill`)
 * gives it to the restored container. It outlives the agent; how it goes is in a record in the run directory
 * (system/memory_record.h).
 */
#ifndef NODE_FILL_H
#define NODE_FILL_H

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/* Before the restore: from now on somebody waits for criu in the directory `work`. */
int fill_start(struct host *host, const char *work, struct error *err);

/* While the container is held: can it still get all of its memory? */
int fill_check(struct host *host, struct error *err);

/* Returns when all memory is there, or was never apart. -1: it will never be, and the container's processes have
 * been ended (EXIT_VE_START). */
int fill_await(struct host *host, struct error *err);

/* That it failed is settled: nobody is to hear of it again. */
void fill_forget(struct host *host);

/* Undo: {"work"}. The processes have ended. */
int fill_undo(struct host *host, json_object *arguments, struct error *err);

/* The mode of the program: --fill LISTENER RECORD LEASE RUNTIME CTID, the first three descriptors. Returns its exit status. */
int fill_main(int argc, char **argv);

#endif
