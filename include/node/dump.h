/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source's part of a live migration: the container is dumped and held frozen.
 */
#ifndef NODE_DUMP_H
#define NODE_DUMP_H

#include <stdbool.h>

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/* Starts criu for the dump, of all or of all but the private memory (runtime/runtime.h), and returns when it
 * waits for the container to be frozen (EXIT_VE_STOP): the start of two programs, and what they find out, is
 * no part of the stop. */
int dump_arm(struct host *host, bool memory_apart, struct error *err);

/* Freezes the container (EXIT_VE_STOP): from now on nothing of it runs. */
int dump_freeze(struct host *host, struct error *err);

/* criu begins to dump. */
int dump_start(struct host *host, struct error *err);

/* Returns when it is dumped and held (EXIT_VE_STOP): *dumped is {"images": node/manifest.h's}, the
 * caller's. */
int dump_await(struct host *host, json_object **dumped, struct error *err);

/* After RUNNING was heard: the frozen tree is killed without running another instruction. */
int dump_release(struct host *host, struct error *err);

/* Lets the frozen tree run, cured of what a criu that was killed left in it. criu has ended. */
int dump_thaw(const char *freezer, const char *images, struct error *err);

/* Undo of a criu that only waits: it ends. */
int dump_disarm(struct host *host, json_object *arguments, struct error *err);

/* Undo of the dump: the tree runs on. {"freezer"} */
int dump_resume(struct host *host, json_object *arguments, struct error *err);

#endif
