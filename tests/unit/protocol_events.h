/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can happen next in a world: what the processes do, what people do, and what goes
 * wrong.
 */
#ifndef TESTS_PROTOCOL_EVENTS_H
#define TESTS_PROTOCOL_EVENTS_H

#include "protocol_moves.h"

enum event_kind {
	EVENT_ACT,    /* of a process that there is */
	EVENT_PERSON, /* somebody starts something, or mends the network: at any time, or never */
	EVENT_FAULT,
};

struct event {
	struct world to;
	const char *where;
	const char *what;
	enum event_kind kind;
};

struct events {
	struct event items[64];
	size_t count;
};

static const char *const node_names[] = { "source", "destination" };

/* The next one to be filled in; it counts when add() is called. */
static struct world *next_world(struct events *events, const struct world *from)
{
	struct event *event = &events->items[events->count];

	event->to = *from;
	return &event->to;
}

static void add(struct events *events, enum event_kind kind, const char *where, const char *what)
{
	struct event *event = &events->items[events->count++];

	event->kind = kind;
	event->where = where;
	event->what = what;
	if (executes(&event->to.sites[DESTINATION]))
		event->to.ran = true;
}

static void add_acts(struct events *events, const struct world *world, const struct model *model,
		     int node)
{
	const struct site *site = &world->sites[node];
	struct world *to = next_world(events, world);
	const char *what = NULL;

	if (site->work != WORK_NONE) {
		if (do_work(to, model, node))
			what = works[site->work].words;
	} else if (site->holder == HOLDER_AGENT) {
		what = agent_goes_on(to, model, node);
	} else if (site->holder == HOLDER_DRIVER) {
		what = driver_goes_on(to, model, node);
	}
	if (what != NULL)
		add(events, EVENT_ACT, node_names[node], what);
	if (site->holder == HOLDER_DRIVER) {
		to = next_world(events, world);
		what = driver_gives_up(to, model, node);
		if (what != NULL)
			add(events, EVENT_ACT, node_names[node], what);
	}
	to = next_world(events, world);
	what = hook_goes_on(to, model, node);
	if (what != NULL)
		add(events, EVENT_ACT, node_names[node], what);
	if (site->late_thaw) {
		to = next_world(events, world);
		to->sites[node].late_thaw = false;
		to->sites[node].frozen = false;
		add(events, EVENT_ACT, node_names[node], "the refused hook's child thaws");
	}
}

static void start_driver(struct world *world, const struct model *model, int node,
			 enum program program)
{
	world->sites[node].holder = HOLDER_DRIVER;
	world->sites[node].program = (uint8_t)program;
	enter(world, model, node, program == PROGRAM_MIGRATION ? STEP_CALL : STEP_TAKE_BACK);
}

static void add_people(struct events *events, const struct world *world, const struct model *model,
		       int node)
{
	const struct site *site = &world->sites[node];
	struct world *to;

	if (site->files != FILES_NONE && !site->fenced && !site->alive) {
		to = next_world(events, world);
		to->sites[node].alive = true;
		to->sites[node].frozen = false;
		add(events, EVENT_PERSON, node_names[node], "somebody, or its boot, starts it");
	}
	if (site->holder == HOLDER_NONE && !is_closed(site)) {
		to = next_world(events, world);
		start_driver(to, model, node, PROGRAM_RECOVERY);
		add(events, EVENT_PERSON, node_names[node], "somebody runs --recover");
	}
	if (node == DESTINATION || site->holder != HOLDER_NONE || site->files == FILES_NONE)
		return;
	if (is_closed(site) || site->journal == JOURNAL_BEGUN || site->journal == JOURNAL_FROZEN) {
		to = next_world(events, world);
		start_driver(to, model, node,
			     is_closed(site) ? PROGRAM_MIGRATION : PROGRAM_MIGRATION_AGAIN);
		add(events, EVENT_PERSON, node_names[node], "somebody migrates it");
	}
}

/* Its processes are gone, whoever did it. */
static void lose_tree(struct world *world, int node)
{
	struct site *site = &world->sites[node];

	world->harmed = true;
	if (site->alive && !site->frozen)
		world->excused = true;
	site->alive = false;
	site->frozen = false;
	/* A criu that only waits does not notice. */
	if (!site->armed)
		end_hook(site);
	site->late_thaw = false;
}

/* What the node's process had to do with the other node ends with it. */
static void kill_holder(struct world *world, int node)
{
	if (world->sites[node].holder == HOLDER_AGENT)
		world->request = STEP_NONE;
	world->connected = false;
	world->answer = RESULT_NONE;
	end_holder(world, node);
}

static void lose_power(struct world *world, const struct model *model, int node)
{
	const struct protocol *protocol = &model->protocol;
	struct site *site = &world->sites[node];
	bool online = model->kind == KIND_ONLINE;

	if (site->holder != HOLDER_NONE)
		kill_holder(world, node);
	if (site->alive)
		lose_tree(world, node);
	world->harmed = true;
	end_hook(site);
	site->late_thaw = false;
	if (site->files == FILES_COPIED)
		site->files = FILES_DAMAGED;
	if (protocol->commits_unsynced && site->journal == JOURNAL_COMMITTED)
		site->journal = online ? JOURNAL_FROZEN : JOURNAL_BEGUN;
	else if (protocol->tells_unsynced && site->journal == JOURNAL_TOLD)
		site->journal = online ? JOURNAL_HELD : JOURNAL_BEGUN;
	else if (protocol->runs_unsynced && site->journal == JOURNAL_RUNNING)
		site->journal = JOURNAL_TOLD;
}

/* The fault as it is, and once more with the request that was on its way lost. */
static void add_cut(struct events *events, const char *where, const char *what, const char *lost)
{
	size_t before = events->count;

	add(events, EVENT_FAULT, where, what);
	if (events->items[before].to.request == STEP_NONE)
		return;
	*next_world(events, &events->items[before].to) = events->items[before].to;
	events->items[events->count].to.request = STEP_NONE;
	add(events, EVENT_FAULT, where, lost);
}

static void add_faults_at(struct events *events, const struct world *world,
			  const struct model *model, int node)
{
	const struct site *site = &world->sites[node];
	const char *where = node_names[node];
	struct world *to;

	if (site->holder != HOLDER_NONE) {
		kill_holder(next_world(events, world), node);
		add_cut(events, where, "the process that works on it is killed",
			"the process that works on it is killed, and its request is lost");
	}
	lose_power(next_world(events, world), model, node);
	add_cut(events, where, "loses power, and boots",
		"loses power, and boots; its request is lost");
	if (site->alive) {
		lose_tree(next_world(events, world), node);
		add(events, EVENT_FAULT, where, "the container's processes are killed");
	}
	if (site->hook != HOOK_NONE) {
		to = next_world(events, world);
		if (node == DESTINATION)
			lose_tree(to, node);
		end_hook(&to->sites[node]);
		add(events, EVENT_FAULT, where, "criu and its hook are killed");
	}
	if (site->hook != HOOK_NONE && node == SOURCE) {
		to = next_world(events, world);
		to->sites[node].frozen |= !site->armed;
		end_hook(&to->sites[node]);
		add(events, EVENT_FAULT, where, "the hook is killed, and criu gives up");
	}
	if (site->late_thaw) {
		to = next_world(events, world);
		to->sites[node].late_thaw = false;
		add(events, EVENT_FAULT, where, "the child that is to thaw is killed");
	}
}

/* An act that cannot be done, of somebody who hears of it. (For any other it is as if it were killed.) */
static void add_failures(struct events *events, const struct world *world,
			 const struct model *model, int node)
{
	const struct site *site = &world->sites[node];
	struct world *to;

	if (site->work == WORK_RUN && model->kind == KIND_RESTART && !site->alive &&
	    (site->fresh || model->protocol.gone_after_running)) {
		to = next_world(events, world);
		to->sites[node].work = WORK_CANNOT_START;
		add(events, EVENT_FAULT, node_names[node], "it cannot be started");
	}
	if (site->work == WORK_NONE || driver_of(world, node)->step == STEP_NONE)
		return;
	to = next_world(events, world);
	finish_work(to, model, node, RESULT_FAILED);
	add(events, EVENT_FAULT, node_names[node], "fails to do what it is at");
}

static void add_faults(struct events *events, const struct world *world, const struct model *model)
{
	struct world *to;

	for (int node = SOURCE; node <= DESTINATION; node++) {
		add_faults_at(events, world, model, node);
		add_failures(events, world, model, node);
	}
	if (!world->linked)
		return;
	to = next_world(events, world);
	to->linked = false;
	to->connected = false;
	to->answer = RESULT_NONE;
	add_cut(events, "network", "is cut", "is cut, and the request on its way is lost");
}

/* In a calm world only what goes on by itself. */
static void find_events(struct events *events, const struct world *world, const struct model *model)
{
	events->count = 0;
	for (int node = SOURCE; node <= DESTINATION; node++)
		add_acts(events, world, model, node);
	if (world->calm)
		return;
	for (int node = SOURCE; node <= DESTINATION; node++)
		add_people(events, world, model, node);
	if (!world->linked) {
		next_world(events, world)->linked = true;
		add(events, EVENT_PERSON, "network", "is mended");
	}
	add_faults(events, world, model);
}

#endif
