/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one node can do for a migration: the table of operations. The same handler runs in this
 * process (the source) or as a message in the agent (the destination).
 */
#ifndef NODE_OPERATIONS_H
#define NODE_OPERATIONS_H

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/*
 * Runs the operation. *result (may be NULL on return: nothing to tell) belongs to the caller.
 * Arguments come from the peer: every handler checks what it reads.
 */
int operation_run(struct host *host, const char *name, json_object *arguments, json_object **result,
		  struct error *err);

#endif
