/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source's part of a live migration: the container is dumped and held frozen.
 */
#ifndef NODE_DUMP_H
#define NODE_DUMP_H

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/* Freezes the container and begins to dump it (EXIT_VE_STOP). What follows may go on meanwhile:
 * nothing of it runs. */
int dump_container(struct host *host, struct error *err);

/* Returns when it is dumped and held (EXIT_VE_STOP): *dumped is {"images": node/manifest.h's}, the
 * caller's. */
int dump_await(struct host *host, json_object **dumped, struct error *err);

/* After RUNNING was heard: the frozen tree is killed without running another instruction. */
int dump_release(struct host *host, struct error *err);

/* Lets the frozen tree run, cured of what a criu that was killed left in it. criu has ended. */
int dump_thaw(const char *freezer, const char *images, struct error *err);

/* Undo of the dump: the tree runs on. {"freezer"} */
int dump_resume(struct host *host, json_object *arguments, struct error *err);

#endif
