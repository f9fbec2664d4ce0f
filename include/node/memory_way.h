/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which way a container's private memory can go: apart from criu's images, copied while it runs and filled
 * in while it runs again, or as a part of them, dumped and restored while it stands still.
 */
#ifndef NODE_MEMORY_WAY_H
#define NODE_MEMORY_WAY_H

#include <stdbool.h>

#include "base/error.h"
#include "node/check.h"
#include "node/host.h"

struct memory_way {
	struct error lacks; /* why it cannot go apart; exit_status 0: it can */
	bool untracked;	    /* it can, but this node cannot tell what changes */
};

/* As far as this node is concerned, as the source or the destination. */
void memory_way_find(const struct host *host, bool destination, struct memory_way *way);

/* The same in a migration that has begun; the destination makes room for it, where it can. */
int memory_way_prepare(struct host *host, struct memory_way *way, struct error *err);

/* The check "iterations": a remark, unless only iterations will do. */
void check_iterations(const struct check_subject *subject, struct verdicts *verdicts);

#endif
