/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who does what next: a migration or a recovery on either node, the agent that it called, criu's
 * orphaned hook. The order of a migration's steps is src/migration/steps.c's, a recovery's is
 * src/migration/recover.c's; what is decided comes from src/node/protocol.c itself.
 */
#ifndef TESTS_PROTOCOL_MOVES_H
#define TESTS_PROTOCOL_MOVES_H

#include <stddef.h>
#include <string.h>

#include "protocol_works.h"

enum result { RESULT_NONE, RESULT_FAILED, RESULT_GONE, RESULT_STATE /* and the journal's state */ };

enum { OWN_NODE = 2, OTHER_NODE };

/* The steps of drivers: on which node, the first act there, and the step that follows. */
static const struct {
	const char *words;
	int node;
	enum work work;
	enum step next;
} steps[STEPS] = {
	[STEP_CALL] = { "calls the destination", OWN_NODE, WORK_NONE, STEP_BEGIN_HERE },
	[STEP_BEGIN_HERE] = { "begin here", SOURCE, WORK_BEGIN, STEP_BEGIN_THERE },
	[STEP_BEGIN_THERE] = { "begin there", DESTINATION, WORK_RECEIVE, STEP_ARM },
	[STEP_ARM] = { "arm", SOURCE, WORK_ARM, STEP_HALT },
	[STEP_HALT] = { "halt", SOURCE, WORK_HALT, STEP_PLACE },
	[STEP_PLACE] = { "place", DESTINATION, WORK_PLACE, STEP_DUMP },
	[STEP_DUMP] = { "fence and dump", SOURCE, WORK_FENCE, STEP_RESTORE },
	[STEP_RESTORE] = { "sync and restore", DESTINATION, WORK_SYNC, STEP_COMMIT },
	[STEP_COMMIT] = { "commit", SOURCE, WORK_LOOK, STEP_TAKE_OVER },
	[STEP_TAKE_BACK] = { "take back", OWN_NODE, WORK_ADOPT, STEP_CONNECT },
	[STEP_CONNECT] = { "calls again", OWN_NODE, WORK_NONE, STEP_ADOPT },
	[STEP_ADOPT] = { "adopt", OTHER_NODE, WORK_ADOPT, STEP_NONE },
	[STEP_UNDO_HERE] = { "undo", SOURCE, WORK_UNFENCE, STEP_UNDO_THERE },
	[STEP_UNDO_THERE] = { "roll back", DESTINATION, WORK_ROLL_BACK, STEP_UNDO_CLOSE },
	[STEP_UNDO_CLOSE] = { "close", SOURCE, WORK_CLOSE, STEP_NONE },
	[STEP_GIVE_BACK] = { "give back", DESTINATION, WORK_ROLL_BACK, STEP_REGAIN },
	[STEP_REGAIN] = { "regain", SOURCE, WORK_REGAIN, STEP_NONE },
	[STEP_TAKE_OVER] = { "take over", DESTINATION, WORK_TELL, STEP_MOVED },
	[STEP_MOVED] = { "release", SOURCE, WORK_MOVED, STEP_FINISH },
	[STEP_FINISH] = { "finish", DESTINATION, WORK_FINISH, STEP_RETIRE },
	[STEP_RETIRE] = { "retire", SOURCE, WORK_RETIRE, STEP_NONE },
};

/* Where the copy may not be put into its place before the dump is complete. */
static enum step next_step(const struct model *model, enum step step)
{
	if (!model->protocol.places_late)
		return steps[step].next;
	switch (step) {
	case STEP_HALT:
		return STEP_DUMP;
	case STEP_DUMP:
		return STEP_PLACE;
	case STEP_PLACE:
		return STEP_RESTORE;
	default:
		return steps[step].next;
	}
}

static enum work first_work(const struct model *model, enum step step)
{
	if (model->protocol.places_late && step == STEP_DUMP)
		return WORK_DUMP;
	if (model->protocol.places_late && step == STEP_COMMIT)
		return WORK_FENCE;
	return steps[step].work;
}

static bool is_migration(const struct site *site)
{
	return site->program != PROGRAM_RECOVERY;
}

static int node_of(enum step step, int driver)
{
	if (steps[step].node == OWN_NODE)
		return driver;
	return steps[step].node == OTHER_NODE ? !driver : steps[step].node;
}

static void enter(struct world *world, const struct model *model, int driver, enum step step);

/* A process that has the lock ends: of itself, or it is killed. */
static void end_holder(struct world *world, int node)
{
	struct site *site = &world->sites[node];

	if (site->hook == HOOK_HEARD)
		site->hook = HOOK_ORPHAN;
	site->holder = HOLDER_NONE;
	site->work = WORK_NONE;
	site->fresh = false;
	site->step = STEP_NONE;
	site->program = 0;
	site->peer = JOURNAL_ABSENT;
}

/* A migration has adopted the destination again: src/migration/settle.c, and who calls it. */
static enum step go_on_again(const struct site *own)
{
	bool nothing_there = own->peer == JOURNAL_ABSENT || own->peer == JOURNAL_KEPT;

	switch (own->journal) {
	case JOURNAL_COMMITTED:
		return nothing_there ? STEP_REGAIN : STEP_TAKE_OVER;
	case JOURNAL_MOVED:
		return STEP_FINISH;
	default:
		return nothing_there ? STEP_NONE : STEP_UNDO_THERE;
	}
}

static bool is_there(uint8_t state)
{
	return state != JOURNAL_ABSENT && state != JOURNAL_KEPT && state != JOURNAL_UNKNOWN;
}

/* A recovery knows what the journals say. */
static enum step decide(const struct world *world, const struct model *model, int driver)
{
	const struct site *own = &world->sites[driver];
	enum journal_state source = driver == SOURCE ? own->journal : own->peer;
	enum journal_state destination = driver == SOURCE ? own->peer : own->journal;

	switch (model->protocol.settle(source, destination)) {
	case SETTLE_UNDO:
		return is_there((uint8_t)source) ? STEP_UNDO_HERE : STEP_UNDO_THERE;
	case SETTLE_REGAIN:
		return is_there((uint8_t)destination) ? STEP_GIVE_BACK : STEP_REGAIN;
	case SETTLE_FORWARD:
		return STEP_TAKE_OVER;
	case SETTLE_FINISH:
		return STEP_MOVED;
	default:
		return STEP_NONE;
	}
}

/* A migration fails. What is there may be another's, as long as it has not begun there itself. */
static enum step undo_from(struct site *own)
{
	if (own->step <= STEP_BEGIN_THERE)
		own->peer = JOURNAL_UNKNOWN;
	return STEP_UNDO_HERE;
}

/* The other node cannot be asked to do the step. */
static void lose(struct world *world, const struct model *model, int driver)
{
	struct site *own = &world->sites[driver];
	enum step step = own->step;
	enum step next = STEP_NONE;

	if (step <= STEP_COMMIT) {
		next = undo_from(own);
	} else if (!is_migration(own)) {
		own->peer = JOURNAL_UNKNOWN;
		if (step == STEP_ADOPT)
			next = decide(world, model, driver);
	} else if (step == STEP_ADOPT) {
		next = STEP_CONNECT;
	} else if (step != STEP_GIVE_BACK && own->peer == JOURNAL_ABSENT) {
		/* Once. */
		next = STEP_CONNECT;
	}
	enter(world, model, driver, next);
}

static void enter(struct world *world, const struct model *model, int driver, enum step step)
{
	struct site *own = &world->sites[driver];
	int node = node_of(step, driver);

	own->step = (uint8_t)step;
	if (step == STEP_NONE) {
		end_holder(world, driver);
		world->connected = false;
	} else if (node == driver) {
		own->work = (uint8_t)first_work(model, step);
	} else if (world->connected) {
		world->request = (uint8_t)step;
	} else {
		lose(world, model, driver);
	}
}

static enum step after_gone(const struct model *model, const struct site *own)
{
	return is_migration(own) && model->protocol.regains_first ? STEP_REGAIN : STEP_GIVE_BACK;
}

static enum step after(struct world *world, const struct model *model, int driver, uint8_t result)
{
	struct site *own = &world->sites[driver];
	enum step step = own->step;

	if (result == RESULT_FAILED && step <= STEP_COMMIT)
		return undo_from(own);
	if (result == RESULT_FAILED && (step != STEP_MOVED || !model->protocol.finishes_unnoted))
		return STEP_NONE;
	if (result == RESULT_GONE)
		return after_gone(model, own);
	switch (step) {
	case STEP_BEGIN_THERE:
		/* An earlier one's was taken back: now it can begin. */
		return result == RESULT_STATE + JOURNAL_BEGUN ? steps[step].next : step;
	case STEP_RESTORE:
		return model->protocol.tells_before_commit ? STEP_TAKE_OVER : STEP_COMMIT;
	case STEP_TAKE_BACK:
		return is_migration(own) ? STEP_CALL : STEP_CONNECT;
	case STEP_ADOPT:
		return is_migration(own) ? go_on_again(own) : decide(world, model, driver);
	case STEP_UNDO_HERE:
		return is_migration(own) && own->peer == JOURNAL_UNKNOWN ? STEP_NONE
									 : STEP_UNDO_THERE;
	case STEP_UNDO_THERE:
		return is_migration(own) || (driver == DESTINATION && !is_there(own->peer))
			       ? STEP_NONE
			       : STEP_UNDO_CLOSE;
	case STEP_REGAIN:
		return is_migration(own) && model->protocol.regains_first ? STEP_UNDO_THERE
									  : STEP_NONE;
	case STEP_TAKE_OVER:
		/* The source has nothing left of it. */
		if (driver == DESTINATION && own->peer == JOURNAL_ABSENT)
			return STEP_FINISH;
		return model->protocol.finishes_first ? STEP_FINISH : STEP_MOVED;
	case STEP_MOVED:
		return model->protocol.finishes_first ? STEP_RETIRE : STEP_FINISH;
	case STEP_FINISH:
		if (driver == DESTINATION && own->peer == JOURNAL_ABSENT)
			return STEP_NONE;
		return model->protocol.finishes_first ? STEP_MOVED : STEP_RETIRE;
	default:
		return next_step(model, step);
	}
}

/* A driver has the outcome of its step. */
static void go_on(struct world *world, const struct model *model, int driver, uint8_t result)
{
	struct site *own = &world->sites[driver];

	if (own->step == STEP_ADOPT && result >= RESULT_STATE)
		own->peer = (uint8_t)(result - RESULT_STATE);
	else if (own->step == STEP_TAKE_OVER && is_migration(own))
		own->peer = JOURNAL_ABSENT; /* It may call again for the next step, too. */
	enter(world, model, driver, after(world, model, driver, result));
}

/* The holder has done what it was asked for, or failed. */
static void finish_work(struct world *world, const struct model *model, int node, uint8_t result)
{
	struct site *site = &world->sites[node];

	site->work = WORK_NONE;
	site->fresh = false;
	if (site->holder == HOLDER_DRIVER)
		go_on(world, model, node, result);
	else if (world->connected)
		world->answer = result;
}

/* The holder makes its next act. Returns false when it cannot yet. */
static bool do_work(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];
	enum work next = works[site->work].run(world, model, node);

	if (next == WORK_WAITS)
		return false;
	if (next < WORKS)
		site->work = (uint8_t)next;
	else if (next == WORK_FAILED)
		finish_work(world, model, node, RESULT_FAILED);
	else if (next == WORK_GONE)
		finish_work(world, model, node, RESULT_GONE);
	else
		finish_work(world, model, node, (uint8_t)(RESULT_STATE + site->journal));
	return true;
}

/* An agent without anything to do. Returns NULL when it waits for its source. */
static const char *agent_goes_on(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];
	bool drops = site->journal == JOURNAL_BEGUN ||
		     (site->journal == JOURNAL_HELD && model->protocol.agent_drops_held);

	if (world->request != STEP_NONE) {
		site->work = (uint8_t)steps[world->request].work;
		world->request = STEP_NONE;
		return "the agent takes the request from its pipe";
	}
	if (world->connected)
		return NULL;
	if (drops) {
		site->work = node == SOURCE ? WORK_UNFENCE : WORK_ROLL_BACK;
		return "the agent has lost who called it, and takes everything back";
	}
	end_holder(world, node);
	return "the agent has lost who called it, and ends";
}

/* A driver that does nothing on its own node: it calls, or waits for the other. NULL: it waits. */
static const char *driver_goes_on(struct world *world, const struct model *model, int driver)
{
	struct site *own = &world->sites[driver];
	struct site *other = &world->sites[!driver];
	uint8_t result = world->answer;

	if (own->step == STEP_CALL || own->step == STEP_CONNECT) {
		if (!world->linked || other->holder != HOLDER_NONE)
			return NULL;
		other->holder = HOLDER_AGENT;
		world->connected = true;
		enter(world, model, driver, steps[own->step].next);
		return "reaches the other node, where an agent takes the lock";
	}
	if (!world->connected) {
		lose(world, model, driver);
		return "has lost the connection";
	}
	if (result == RESULT_NONE)
		return NULL;
	world->answer = RESULT_NONE;
	go_on(world, model, driver, result);
	return result == RESULT_FAILED ? "hears that it failed"
	       : result == RESULT_GONE ? "hears that it is gone there"
				       : "hears the answer";
}

/* The other node's lock stays taken, or it cannot be reached. */
static const char *driver_gives_up(struct world *world, const struct model *model, int driver)
{
	struct site *own = &world->sites[driver];
	bool locked = world->sites[!driver].holder != HOLDER_NONE;

	if (own->work != WORK_NONE || (world->linked && !locked))
		return NULL;
	if (own->step == STEP_CONNECT && !is_migration(own) && !world->linked) {
		own->step = STEP_ADOPT;
		lose(world, model, driver);
		return "cannot reach the other node";
	}
	if (own->step != STEP_CALL && own->step != STEP_CONNECT)
		return NULL;
	enter(world, model, driver, STEP_NONE);
	return locked ? "gives up: the other node's lock is taken"
		      : "gives up: the other node cannot be reached";
}

/* A hook that nobody can answer. */
static const char *hook_goes_on(struct world *world, const struct model *model, int node)
{
	struct site *site = &world->sites[node];

	switch (site->hook) {
	case HOOK_ORPHAN:
		switch (model->protocol.orphan(node == SOURCE, site->journal)) {
		case ORPHAN_PROCEEDS:
			site->hook = HOOK_PROCEEDS;
			return "the orphaned hook decides to proceed";
		case ORPHAN_REFUSES:
			site->hook = HOOK_REFUSES;
			return "the orphaned hook decides to refuse";
		default:
			return NULL;
		}
	case HOOK_PROCEEDS:
		end_hook(site);
		/* criu kills what it has dumped, and lets go what it has restored. */
		if (node == SOURCE)
			kill_frozen(world, model);
		return "the orphaned hook proceeds";
	case HOOK_REFUSES:
		if (node == DESTINATION)
			kill_restored(world, model);
		/* criu puts the freezer of what it dumped back as it found it. */
		site->frozen = node == SOURCE && (site->frozen || !site->armed);
		site->late_thaw = site->frozen;
		end_hook(site);
		return "the orphaned hook refuses";
	default:
		return NULL;
	}
}

#endif
