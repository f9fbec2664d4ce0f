/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node as the migration sees it: something that runs operations, in this process or behind a
 * wire. The difference ends here.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"
#include "wire/message.h"

struct node {
	const char *name;  /* for messages: "host2", "this node" */
	struct host *host; /* the node is this process; or */
	struct wire *wire; /* an agent is at the other end */
};

/*
 * Runs the operation there and waits for its end. Takes the reference to arguments (NULL: none).
 * *result may be NULL itself when nobody wants it. Errors of a remote node begin with its name.
 */
int node_call(struct node *node, const char *operation, json_object *arguments,
	      json_object **result, struct error *err);

#endif
