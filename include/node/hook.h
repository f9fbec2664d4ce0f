/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criu's action scripts, by which dump and restore are held until the other node is ready.
 *
 * criu runs `RUN_DIRECTORY/ID/hook`, a link to this program, at its stages (the stage's name in
 * CRTOOLS_SCRIPT_ACTION). At pre-dump (criu is there, and has looked at nothing yet), post-dump (tree
 * frozen, network locked) and post-restore (tree complete, network locked) it connects to `hook.socket`
 * beside the link, says "STAGE INIT-PID", and waits for the answer: proceed (exit 0: criu dumps, kills
 * the dumped tree, or lets the restored one run) or refuse (exit 1: criu gives up, resumes the dumped
 * tree, or kills the restored one). At post-resume it only reports.
 *
 * When nobody is there to answer, the journal decides, and only where it is certain: see
 * hook_main() in src/node/hook.c.
 */
#ifndef NODE_HOOK_H
#define NODE_HOOK_H

#include <stdbool.h>

#include "base/error.h"
#include "node/host.h"

#define HOOK_SETUP_NAMESPACES "setup-namespaces"
#define HOOK_GATE "gate" /* of node/gate.h */
#define HOOK_PRE_DUMP "pre-dump"
#define HOOK_POST_DUMP "post-dump"
#define HOOK_POST_RESTORE "post-restore"
#define HOOK_POST_RESUME "post-resume"

/* Makes the link and the socket in the run directory. */
int hook_listen(struct host *host, struct error *err);

/* The path of the link. The caller frees. */
char *hook_path(const struct host *host);

/*
 * Waits until the hook reports `stage`, and keeps it waiting in host->hook. Returns 1; 0 when the
 * process under way (host->checkpoint) failed before, *status is its exit status then.
 */
int hook_wait(struct host *host, const char *stage, int timeout_ms, int *status, struct error *err);

/* Waits at most timeout_ms for the hook to report `stage`, whatever the process does. Returns 1, or 0. */
int hook_take(struct host *host, const char *stage, int timeout_ms, struct error *err);

/* Does the hook still wait for our answer? It does not when it, or criu above it, was killed. */
bool hook_waits(const struct host *host);

/* Lets the hook that waits go on. */
int hook_answer(struct host *host, bool proceed, struct error *err);

/* Reports to whoever listens in the run directory, and returns the answer: 0 to proceed, 1 to refuse, -1
 * when nobody answered. For the processes that criu and its runtime start. */
int hook_ask(const char *directory, const char *stage);

/* The mode of the program that is the hook; returns its exit status. */
int hook_main(const char *path);

/* Is this program started as the hook? */
bool hook_is_meant(const char *path);

#endif
