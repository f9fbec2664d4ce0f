/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The acts on the source, as src/node/operations.c and src/node/dump.c have them.
 */
#ifndef TESTS_PROTOCOL_SOURCE_H
#define TESTS_PROTOCOL_SOURCE_H

#include "protocol_work.h"

static enum work work_begin(struct world *world, const struct model *model, int node)
{
	(void)model;
	return note(world, node, JOURNAL_BEGUN, WORK_DONE);
}

/* criu is started, and waits until what it shall dump is frozen. */
static enum work work_arm(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];

	if (model->kind != KIND_ONLINE)
		return WORK_DONE;
	if (!site->alive || site->hook != HOOK_NONE)
		return WORK_FAILED;
	site->hook = HOOK_HEARD;
	site->armed = true;
	return WORK_DONE;
}

static enum work work_halt(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];

	if (model->kind == KIND_STOPPED) {
		site->fenced = true;
		return site->alive ? WORK_FAILED : WORK_DONE;
	}
	if (!site->alive)
		return WORK_FAILED;
	if (model->kind != KIND_ONLINE) {
		site->alive = false;
		return WORK_FENCE_STOPPED;
	}
	site->frozen = true;
	return WORK_DONE;
}

static enum work work_fence_stopped(struct world *world, const struct model *model, int node)
{
	(void)model;
	world->sites[node].fenced = true;
	return world->sites[node].alive ? WORK_FAILED : WORK_DONE;
}

static enum work work_dump(struct world *world, const struct model *model, int node)
{
	(void)model;
	if (world->sites[node].hook != HOOK_HEARD || !world->sites[node].frozen)
		return WORK_FAILED;
	world->sites[node].armed = false;
	return WORK_NOTE_FROZEN;
}

static enum work work_note_frozen(struct world *world, const struct model *model, int node)
{
	(void)model;
	return note(world, node, JOURNAL_FROZEN, WORK_DONE);
}

static enum work work_fence(struct world *world, const struct model *model, int node)
{
	world->sites[node].fenced |= !model->protocol.commits_unfenced;
	if (world->sites[node].step == STEP_COMMIT)
		return WORK_LOOK;
	return model->kind == KIND_ONLINE ? WORK_DUMP : WORK_DONE;
}

static enum work work_look(struct world *world, const struct model *model, int node)
{
	return model->kind == KIND_ONLINE && world->sites[node].hook != HOOK_HEARD &&
			       !model->protocol.commits_unseen
		       ? WORK_FAILED
		       : WORK_COMMIT;
}

static enum work work_commit(struct world *world, const struct model *model, int node)
{
	(void)model;
	return note(world, node, JOURNAL_COMMITTED, WORK_DONE);
}

static enum work work_unfence(struct world *world, const struct model *model, int node)
{
	(void)model;
	world->sites[node].fenced = false;
	return WORK_RESUME;
}

/* criu puts the freezer back as it found it, frozen: so its end, and its hook's, is waited for. */
static enum work work_resume(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];
	bool keeps_journal = site->program == PROGRAM_RECOVERY &&
			     (site->step == STEP_TAKE_BACK || site->step == STEP_UNDO_HERE);
	enum work next = keeps_journal ? WORK_DONE : WORK_CLOSE;

	if (site->hook == HOOK_HEARD)
		end_hook(site);
	if ((site->hook != HOOK_NONE || site->late_thaw) && !model->protocol.thaws_early)
		return WORK_WAITS;
	site->frozen = false;
	if (site->alive || !shall_run(model, SOURCE))
		return next;
	return start_from_files(world, model, node, next);
}

static enum work work_regain(struct world *world, const struct model *model, int node)
{
	(void)model;
	return note(world, node, JOURNAL_BEGUN, WORK_UNFENCE);
}

static enum work work_moved(struct world *world, const struct model *model, int node)
{
	(void)model;
	return note(world, node, JOURNAL_MOVED, WORK_RELEASE);
}

/* What is frozen is killed. Where nothing of it has run on the destination it is the container. */
static void kill_frozen(struct world *world, const struct model *model)
{
	if (model->kind == KIND_ONLINE && world->sites[SOURCE].alive && !world->ran)
		world->wrong = WRONG_THROWN_AWAY;
	world->sites[SOURCE].alive = false;
	world->sites[SOURCE].frozen = false;
	end_hook(&world->sites[SOURCE]);
}

static enum work work_release(struct world *world, const struct model *model, int node)
{
	(void)node;
	kill_frozen(world, model);
	return WORK_DONE;
}

static enum work work_retire(struct world *world, const struct model *model, int node)
{
	(void)model;
	world->sites[node].files = FILES_NONE;
	world->sites[node].fenced = false;
	return WORK_CLOSE;
}

#endif
