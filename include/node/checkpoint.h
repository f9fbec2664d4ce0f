/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dump (node/dump.h) and a restore (node/restore.h) have in common. Each is held in criu's hook
 * until the migration says how it ends: the container's processes run on the source until the dump,
 * on the destination from its resume on, and in between nowhere.
 */
#ifndef NODE_CHECKPOINT_H
#define NODE_CHECKPOINT_H

#include "base/error.h"
#include "node/host.h"

/* criu writes a container's memory at some 100 MB/s on slow machines; this is no limit for any real
 * one, it only ends a wait that would never end. */
#define CHECKPOINT_LIMIT_MS (3600 * 1000)

/* criu's own clean-up after an answer: unlock, kill, remove link remaps. */
#define CHECKPOINT_SETTLE_MS 30000

/* Both nodes, before the freeze: images directory on its own tmpfs, the hook, and what criu can do. */
int checkpoint_prepare(struct host *host, struct error *err);

/* The destination: one for the memory that is copied apart from the images, too. */
int checkpoint_prepare_memory(struct host *host, struct error *err);

/* The directory of the migration's own files. Its name is one migration's own, and with it all names that
 * are derived from it. The caller frees. */
char *checkpoint_work(const struct host *host);

/* What the runtime wants to know. */
struct checkpoint checkpoint_of(const struct host *host, const char *work, const char *hook);

/* Starts lxc-checkpoint or its like, detached from everything of ours, as host->checkpoint, with the gate
 * (node/gate.h) before criu on its PATH. `verb` is for messages and names: "checkpoint". */
int checkpoint_start(struct host *host, struct command *command, const char *verb,
		     struct error *err);

/* Waits for the end of the command under way, whatever its status. */
int checkpoint_wait(struct host *host, struct error *err);

/*
 * criu cannot be stopped in the middle without leaving what it locked: what is under way, of this process
 * or of one that crashed, is led to its hook and refused there (its own orphaned hook refuses too).
 * Returns when all of its processes have ended.
 */
int checkpoint_refuse(struct host *host, const char *stage, int timeout_ms, struct error *err);

/* Copies criu's log to where it outlives the migration, and words the failure with its cause; returns -1. */
int checkpoint_explain(struct host *host, const char *verb, const char *log_name, int status,
		       enum exit_status exit_status, struct error *err);

#endif
