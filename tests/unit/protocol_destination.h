/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The acts on the destination, as src/node/operations.c and src/node/restore.c have them.
 */
#ifndef TESTS_PROTOCOL_DESTINATION_H
#define TESTS_PROTOCOL_DESTINATION_H

#include "protocol_work.h"

/* What is restored is killed. Where the source has nothing any more that is the container. */
static void kill_restored(struct world *world, const struct model *model)
{
	const struct site *source = &world->sites[SOURCE];
	bool committed = source->journal == JOURNAL_COMMITTED || source->journal == JOURNAL_MOVED;

	if (model->kind == KIND_ONLINE && world->sites[DESTINATION].alive && committed &&
	    !source->alive)
		world->wrong = WRONG_THROWN_AWAY;
	world->sites[DESTINATION].alive = false;
	world->sites[DESTINATION].frozen = false;
	world->sites[DESTINATION].hook = HOOK_NONE;
}

/* A new migration arrives. What an earlier one left is taken back first, if that may be. */
static enum work work_receive(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];
	bool given_up = driver_of(world, node)->program == PROGRAM_MIGRATION_AGAIN;

	(void)model;
	if (site->journal == JOURNAL_BEGUN || (site->journal == JOURNAL_HELD && given_up)) {
		if (site->hook == HOOK_ORPHAN)
			site->hook = HOOK_HEARD;
		return WORK_ROLL_BACK;
	}
	return is_closed(site) ? note(world, node, JOURNAL_BEGUN, WORK_DONE) : WORK_FAILED;
}

static enum work work_place(struct world *world, const struct model *model, int node)
{
	world->sites[node].files = FILES_COPIED;
	world->sites[node].fenced = !model->protocol.places_unfenced;
	return WORK_DONE;
}

static enum work work_sync(struct world *world, const struct model *model, int node)
{
	if (!model->protocol.syncs_late)
		world->sites[node].files = FILES_SYNCED;
	return model->kind == KIND_ONLINE ? WORK_RESTORE : WORK_DONE;
}

static enum work work_restore(struct world *world, const struct model *model, int node)
{
	(void)model;
	if (world->sites[node].alive)
		return WORK_FAILED;
	world->sites[node].alive = true;
	world->sites[node].frozen = true;
	world->sites[node].hook = HOOK_HEARD;
	return WORK_NOTE_HELD;
}

static enum work work_note_held(struct world *world, const struct model *model, int node)
{
	(void)model;
	return note(world, node, JOURNAL_HELD, WORK_DONE);
}

static enum work work_tell(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];

	if (is_closed(site))
		return WORK_FAILED;
	site->fresh = site->journal != JOURNAL_RUNNING;
	if (site->fresh || model->protocol.tells_over_running)
		site->journal = JOURNAL_TOLD;
	if (!shall_run(model, DESTINATION))
		return WORK_UNFENCE_COPY;
	if (model->kind == KIND_ONLINE)
		return WORK_LET_GO;
	return model->protocol.runs_before_note ? WORK_RUN : WORK_NOTE_RUNNING;
}

static enum work work_let_go(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];
	bool alone = site->holder == HOLDER_DRIVER && site->peer == JOURNAL_UNKNOWN;

	if (site->hook == HOOK_HEARD)
		site->hook = HOOK_NONE;
	if (site->hook != HOOK_NONE)
		return WORK_WAITS;
	if (!site->alive && site->fresh && !alone)
		return WORK_GONE;
	return model->protocol.runs_before_note ? WORK_RUN : WORK_NOTE_RUNNING;
}

static enum work work_note_running(struct world *world, const struct model *model, int node)
{
	return note(world, node, JOURNAL_RUNNING,
		    model->protocol.runs_before_note ? WORK_UNFENCE_COPY : WORK_RUN);
}

static enum work work_run_it(struct world *world, const struct model *model, int node)
{
	enum work next = model->protocol.runs_before_note ? WORK_NOTE_RUNNING : WORK_UNFENCE_COPY;
	struct site *site = &world->sites[node];

	if (site->alive) {
		site->frozen = false;
		return next;
	}
	if (site->files == FILES_NONE)
		return model->kind == KIND_RESTART && site->fresh ? WORK_CANNOT_START : WORK_FAILED;
	return start_from_files(world, model, node, next);
}

/* Last: until then nobody else can have started it. */
static enum work work_unfence_copy(struct world *world, const struct model *model, int node)
{
	if (world->sites[node].files == FILES_NONE && !shall_run(model, DESTINATION))
		return WORK_GONE;
	world->sites[node].fenced = false;
	return WORK_DONE;
}

/* Nothing of it ran here, and nobody else could start it: the source may have it back. */
static enum work work_cannot_start(struct world *world, const struct model *model, int node)
{
	(void)model;
	if (world->sites[node].fresh)
		world->sites[node].journal = JOURNAL_TOLD;
	return WORK_GONE;
}

static enum work work_roll_back(struct world *world, const struct model *model, int node)
{
	if (is_closed(&world->sites[node]))
		return WORK_DONE;
	if (!model->protocol.rolls_back_told)
		world->sites[node].journal = JOURNAL_BEGUN;
	return WORK_KILL;
}

static enum work work_kill(struct world *world, const struct model *model, int node)
{
	if (world->sites[node].hook != HOOK_NONE && world->sites[node].hook != HOOK_HEARD)
		return WORK_WAITS;
	kill_restored(world, model);
	return WORK_REMOVE;
}

static enum work work_remove(struct world *world, const struct model *model, int node)
{
	(void)model;
	world->sites[node].files = FILES_NONE;
	world->sites[node].fenced = false;
	return world->sites[node].step == STEP_TAKE_BACK ? WORK_DONE : WORK_CLOSE;
}

static enum work work_finish(struct world *world, const struct model *model, int node)
{
	(void)model;
	if (is_closed(&world->sites[node]))
		return WORK_DONE;
	if (world->sites[node].files == FILES_COPIED)
		world->sites[node].files = FILES_SYNCED;
	return WORK_CLOSE;
}

#endif
