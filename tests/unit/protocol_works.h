/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of all acts, and those that are the same on both nodes.
 */
#ifndef TESTS_PROTOCOL_WORKS_H
#define TESTS_PROTOCOL_WORKS_H

#include "protocol_destination.h"
#include "protocol_source.h"

static enum work work_close(struct world *world, const struct model *model, int node)
{
	bool kept = model->protocol.keeps && world->sites[node].files == FILES_NONE &&
		    node == DESTINATION;

	return note(world, node, kept ? JOURNAL_KEPT : JOURNAL_ABSENT, WORK_DONE);
}

/* A process takes up what one before it left; what had not come to the switch is taken back. */
static enum work work_adopt(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];

	(void)model;
	if (site->journal == JOURNAL_BEGUN || site->journal == JOURNAL_FROZEN)
		return node == SOURCE ? WORK_UNFENCE : WORK_ROLL_BACK;
	if (site->hook == HOOK_ORPHAN)
		site->hook = HOOK_HEARD;
	return WORK_DONE;
}

static const struct {
	const char *words;
	work_run *run;
} works[WORKS] = {
	[WORK_BEGIN] = { "notes 'begun'", work_begin },
	[WORK_ARM] = { "starts criu, which waits", work_arm },
	[WORK_HALT] = { "freezes, or stops, the container", work_halt },
	[WORK_DUMP] = { "criu has dumped it and waits in its hook", work_dump },
	[WORK_NOTE_FROZEN] = { "notes 'frozen'", work_note_frozen },
	[WORK_FENCE_STOPPED] = { "fences the stopped container", work_fence_stopped },
	[WORK_FENCE] = { "fences the container", work_fence },
	[WORK_LOOK] = { "looks whether its hook still waits", work_look },
	[WORK_COMMIT] = { "notes 'committed'", work_commit },
	[WORK_UNFENCE] = { "takes the fence away", work_unfence },
	[WORK_RESUME] = { "lets the original run again", work_resume },
	[WORK_CLOSE] = { "removes its journal", work_close },
	[WORK_REGAIN] = { "owns the container again: notes 'begun'", work_regain },
	[WORK_MOVED] = { "notes 'moved'", work_moved },
	[WORK_RELEASE] = { "kills the frozen original", work_release },
	[WORK_RETIRE] = { "retires its files", work_retire },
	[WORK_RECEIVE] = { "lets a migration begin", work_receive },
	[WORK_PLACE] = { "puts the copied files in their place", work_place },
	[WORK_SYNC] = { "syncs them", work_sync },
	[WORK_RESTORE] = { "criu has restored it and waits in its hook", work_restore },
	[WORK_NOTE_HELD] = { "notes 'held'", work_note_held },
	[WORK_TELL] = { "is told, and notes that", work_tell },
	[WORK_LET_GO] = { "answers the hook, or finds what became of it", work_let_go },
	[WORK_NOTE_RUNNING] = { "notes 'running'", work_note_running },
	[WORK_UNFENCE_COPY] = { "takes the fence from the copy", work_unfence_copy },
	[WORK_RUN] = { "lets it run", work_run_it },
	[WORK_CANNOT_START] = { "gives up starting it", work_cannot_start },
	[WORK_ROLL_BACK] = { "is to give everything back", work_roll_back },
	[WORK_KILL] = { "kills what it restored", work_kill },
	[WORK_REMOVE] = { "removes the copied files", work_remove },
	[WORK_FINISH] = { "is to finish: syncs", work_finish },
	[WORK_ADOPT] = { "takes up what is there", work_adopt },
};

#endif
