/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch: who owns the container, on one node. The order of these acts, within each and between the
 * nodes, is what tests/unit/test_protocol.c tries: who changes it here changes it there first.
 */
#ifndef NODE_SWITCH_H
#define NODE_SWITCH_H

#include <stdbool.h>

#include "base/error.h"
#include "node/host.h"

/* What the migration ends with on the destination: "resume", "start" or "leave" (node/journal.h). */
bool switch_mode_is(const struct host *host, const char *mode);

/* Source: the one moment. From here on the destination owns the container. */
int switch_commit(struct host *host, struct error *err);

/* Source: the destination never ran it and has taken back what it had; the source owns it again. */
int switch_regain(struct host *host, struct error *err);

enum arrival {
	ARRIVAL_GONE, /* for certain: nothing of it ran here, and nobody can start it */
	ARRIVAL_STOPPED,
	ARRIVAL_RUNNING,
};

/*
 * Destination: it is told that it owns the container, perhaps not for the first time. `alone`: the
 * source cannot have it back. -1: EXIT_UNRESOLVED; *reason says why it is gone.
 */
int switch_take_over(struct host *host, bool alone, enum arrival *arrival, struct error *reason,
		     struct error *err);

/* Source: the destination has said that it has the container. What came for it meanwhile goes there, and here it is
 * unplugged. */
int switch_note_moved(struct host *host, struct error *err);

/* Source, after that: the frozen original ends. */
int switch_release(struct host *host, struct error *err);

/* Source, when the destination has finished: the container is removed or left renamed, as asked for. */
int switch_retire(struct host *host, struct error *err);

/* Either node, when its part is over: what was only temporary goes, and the journal. */
int switch_finish(struct host *host, struct error *err);

/* Either node: everything is taken back, and nothing is told any more. */
int switch_rollback(struct host *host, struct error *err);

#endif
