// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for who may run the container after a failure. */
#include "node/protocol.h"

/*
 * By the source's state, then the destination's. The source commits only after it has heard that
 * the container is held (or, with a restart, that the copy is in place), and tells only after its
 * commit is on the disk; the destination runs only what it was told. So a destination without a
 * journal has either taken everything back, which it never does once it was told, or has finished,
 * which the source asks for only when it has noted MOVED. Pairs that no run leads to say WAIT.
 */
static const unsigned char settlements[JOURNAL_STATES][JOURNAL_STATES] = {
	[JOURNAL_ABSENT] = {
		[JOURNAL_ABSENT] = SETTLE_NOTHING,
		[JOURNAL_BEGUN] = SETTLE_UNDO,
		[JOURNAL_HELD] = SETTLE_UNDO,
		[JOURNAL_TOLD] = SETTLE_FORWARD,
		[JOURNAL_RUNNING] = SETTLE_FORWARD,
		[JOURNAL_KEPT] = SETTLE_NOTHING,
	},
	[JOURNAL_BEGUN] = {
		[JOURNAL_ABSENT] = SETTLE_UNDO,
		[JOURNAL_BEGUN] = SETTLE_UNDO,
		[JOURNAL_HELD] = SETTLE_UNDO,
		[JOURNAL_KEPT] = SETTLE_UNDO,
		[JOURNAL_UNKNOWN] = SETTLE_UNDO,
	},
	[JOURNAL_FROZEN] = {
		[JOURNAL_ABSENT] = SETTLE_UNDO,
		[JOURNAL_BEGUN] = SETTLE_UNDO,
		[JOURNAL_HELD] = SETTLE_UNDO,
		[JOURNAL_KEPT] = SETTLE_UNDO,
		[JOURNAL_UNKNOWN] = SETTLE_UNDO,
	},
	[JOURNAL_COMMITTED] = {
		[JOURNAL_ABSENT] = SETTLE_REGAIN,
		[JOURNAL_BEGUN] = SETTLE_REGAIN,
		[JOURNAL_HELD] = SETTLE_FORWARD,
		[JOURNAL_TOLD] = SETTLE_FORWARD,
		[JOURNAL_RUNNING] = SETTLE_FORWARD,
		[JOURNAL_KEPT] = SETTLE_REGAIN,
	},
	[JOURNAL_MOVED] = {
		[JOURNAL_ABSENT] = SETTLE_FINISH,
		[JOURNAL_TOLD] = SETTLE_FINISH,
		[JOURNAL_RUNNING] = SETTLE_FINISH,
	},
	[JOURNAL_UNKNOWN] = {
		/* Not told, and before HELD nothing of it can run here. */
		[JOURNAL_BEGUN] = SETTLE_UNDO,
		[JOURNAL_TOLD] = SETTLE_FORWARD,
		[JOURNAL_RUNNING] = SETTLE_FORWARD,
		[JOURNAL_KEPT] = SETTLE_NOTHING,
	},
};

enum settlement protocol_settle(enum journal_state source, enum journal_state destination)
{
	return (enum settlement)settlements[source][destination];
}

enum orphan protocol_orphan(bool dump, enum journal_state own)
{
	switch (own) {
	case JOURNAL_COMMITTED:
	case JOURNAL_MOVED:
	case JOURNAL_HELD:
	case JOURNAL_UNKNOWN:
		return ORPHAN_WAITS;
	case JOURNAL_TOLD:
	case JOURNAL_RUNNING:
		return dump ? ORPHAN_WAITS : ORPHAN_PROCEEDS;
	default:
		return ORPHAN_REFUSES;
	}
}
