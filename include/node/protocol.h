/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commit protocol's decisions, as pure functions of what the two journals say: who may run the
 * container, and what whoever comes after a failure does. HACKING.md tells the protocol;
 * tests/unit/test_protocol.c tries every interleaving of its steps, losses and crashes with these
 * very functions.
 */
#ifndef NODE_PROTOCOL_H
#define NODE_PROTOCOL_H

#include <stdbool.h>

/* What a node's journal says of a migration. Each is on the disk before what it announces happens. */
enum journal_state {
	JOURNAL_ABSENT, /* there is none: nothing was begun, or all was taken back, or it is over */
	JOURNAL_BEGUN,	/* both: everything can be taken back */
	JOURNAL_FROZEN, /* source: dumped and held in criu's post-dump hook */
	JOURNAL_HELD,	/* destination: restored and held in criu's post-restore hook */
	JOURNAL_COMMITTED, /* source: the destination owns the container */
	JOURNAL_TOLD, /* destination: was told that it owns the container; nothing of it ran yet */
	JOURNAL_RUNNING, /* destination: it is let run: from here on its files are the newest */
	JOURNAL_MOVED,	 /* source: the destination has said that it has the container */
	JOURNAL_KEPT,	 /* destination: failed, and the copied files stay for the next attempt */
	JOURNAL_UNKNOWN, /* the node cannot be asked */
};

#define JOURNAL_STATES (JOURNAL_UNKNOWN + 1)

/* What settles a migration that was interrupted. A side that is JOURNAL_UNKNOWN does its part later. */
enum settlement {
	SETTLE_WAIT,	/* it depends on the side that cannot be asked: nothing is changed */
	SETTLE_NOTHING, /* nothing is left to do */
	SETTLE_UNDO,	/* not committed: both take back what they did, the source first */
	SETTLE_REGAIN,	/* committed, but the destination was never told: it takes back what it has
			   left; then the source owns the container again, and takes back what it did */
	SETTLE_FORWARD, /* the destination owns it: it is told (again); then as below */
	SETTLE_FINISH,	/* it is there: the source's copy goes */
};

enum settlement protocol_settle(enum journal_state source, enum journal_state destination);

/* What criu's hook does when nobody is there to answer it. */
enum orphan {
	ORPHAN_WAITS,
	ORPHAN_PROCEEDS, /* the restored tree is the container */
	ORPHAN_REFUSES,	 /* the dumped tree runs on; the restored one is killed */
};

enum orphan protocol_orphan(bool dump, enum journal_state own);

#endif
