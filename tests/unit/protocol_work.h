/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done on one node for the commit protocol, one act at a time: between any two of them
 * everything else may happen; and the steps of a migration or recovery, which are made of acts.
 */
#ifndef TESTS_PROTOCOL_WORK_H
#define TESTS_PROTOCOL_WORK_H

#include "protocol_world.h"

enum work {
	WORK_NONE,
	WORK_BEGIN,
	WORK_ARM,
	WORK_HALT,
	WORK_DUMP,
	WORK_NOTE_FROZEN,
	WORK_FENCE_STOPPED,
	WORK_FENCE,
	WORK_LOOK,
	WORK_COMMIT,
	WORK_UNFENCE,
	WORK_RESUME,
	WORK_CLOSE,
	WORK_REGAIN,
	WORK_MOVED,
	WORK_RELEASE,
	WORK_RETIRE,
	WORK_RECEIVE,
	WORK_PLACE,
	WORK_SYNC,
	WORK_RESTORE,
	WORK_NOTE_HELD,
	WORK_TELL,
	WORK_LET_GO,
	WORK_NOTE_RUNNING,
	WORK_UNFENCE_COPY,
	WORK_RUN,
	WORK_CANNOT_START,
	WORK_ROLL_BACK,
	WORK_KILL,
	WORK_REMOVE,
	WORK_FINISH,
	WORK_ADOPT,
	WORKS,
	/* What else an act returns. */
	WORK_DONE = WORKS,
	WORK_FAILED,
	WORK_GONE,
	WORK_WAITS, /* it cannot be made yet */
};

enum step {
	STEP_NONE,
	STEP_CALL,
	STEP_BEGIN_HERE,
	STEP_BEGIN_THERE,
	STEP_ARM,
	STEP_HALT,
	STEP_PLACE,
	STEP_DUMP,
	STEP_RESTORE,
	STEP_COMMIT, /* up to here a failure puts everything back */
	STEP_TAKE_BACK,
	STEP_CONNECT,
	STEP_ADOPT,
	STEP_UNDO_HERE,
	STEP_UNDO_THERE,
	STEP_UNDO_CLOSE,
	STEP_GIVE_BACK,
	STEP_REGAIN,
	STEP_TAKE_OVER,
	STEP_MOVED,
	STEP_FINISH,
	STEP_RETIRE,
	STEPS,
};

typedef enum work work_run(struct world *world, const struct model *model, int node);

/* The driver that this node's work is for. */
static const struct site *driver_of(const struct world *world, int node)
{
	return &world->sites[world->sites[node].holder == HOLDER_AGENT ? !node : node];
}

static enum work note(struct world *world, int node, enum journal_state state, enum work next)
{
	world->sites[node].journal = (uint8_t)state;
	return next;
}

static void end_hook(struct site *site)
{
	site->hook = HOOK_NONE;
	site->armed = false;
}

static enum work start_from_files(struct world *world, const struct model *model, int node,
				  enum work next)
{
	if (model->kind == KIND_ONLINE && !world->harmed)
		world->wrong = WRONG_RESTARTED;
	world->sites[node].alive = true;
	world->sites[node].frozen = false;
	return next;
}

#endif
