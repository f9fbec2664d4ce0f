/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slowing the container down on the source, so that it changes its memory more slowly than that is copied.
 */
#ifndef NODE_THROTTLE_H
#define NODE_THROTTLE_H

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/* From now on it may use so many percent of the CPU time that it might before the first call. */
int throttle_set(struct host *host, int percent, struct error *err);

/* It may use what it might before. Never throttled: success. */
int throttle_end(struct host *host, struct error *err);

/* Undo: {"cgroup", "limit"} */
int throttle_undo(struct host *host, json_object *arguments, struct error *err);

#endif
