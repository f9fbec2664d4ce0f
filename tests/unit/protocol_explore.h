/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trying everything that can happen, breadth first, so that what is found wrong has the shortest
 * story. From every world that is reached it is also tried, in every order, how it ends when nothing
 * more goes wrong: whoever is at it goes on to its end, and then --recover is run once, on the source or
 * on the destination, with the network mended or cut for good. Such a world is called calm.
 */
#ifndef TESTS_PROTOCOL_EXPLORE_H
#define TESTS_PROTOCOL_EXPLORE_H

#include <stdlib.h>

#include "protocol_events.h"

/* world.calm: on which node --recover is to be run, whether it has been; and where the other node
 * cannot be reached, how that must end. */
#define CALM_ON(node) ((uint8_t)(1 + (node)))
#define CALM_NODES 3
#define CALM_STARTED 4
#define CALM_ALONE 8
#define CALM_MUST_RUN 16
#define CALM_MUST_CLOSE 32

enum mark { MARK_NEW, MARK_OPEN, MARK_GOOD };

struct place {
	struct world world;
	uint8_t mark;	 /* of calm worlds: enum mark */
	uint32_t before; /* the place from which it was reached */
};

struct exploration {
	struct model model;
	struct place *places;
	uint32_t worlds; /* places that are not calm */
	uint32_t count;
	uint32_t room;
	uint32_t *table; /* open addressing, numbers from 1 on; twice the room */
	const char *wrong;
	uint32_t where;
};

static uint32_t hash_of(const struct world *world)
{
	uint64_t words[(sizeof(*world) + 7) / 8] = { 0 };
	uint64_t hash = 0;

	memcpy(words, world, sizeof(*world));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15U;
		hash ^= hash >> 29;
	}
	return (uint32_t)(hash >> 24);
}

static uint32_t *slot_of(const struct exploration *exploration, const struct world *world)
{
	uint32_t mask = exploration->room * 2 - 1;
	uint32_t at = hash_of(world) & mask;

	while (exploration->table[at] != 0 &&
	       memcmp(&exploration->places[exploration->table[at] - 1].world, world,
		      sizeof(*world)) != 0)
		at = (at + 1) & mask;
	return &exploration->table[at];
}

static void *claim(void *old, size_t count, size_t size)
{
	void *new = reallocarray(old, count, size);

	if (new == NULL)
		abort();
	return new;
}

static void grow(struct exploration *exploration)
{
	exploration->room = exploration->room == 0 ? 1U << 12 : exploration->room * 2;
	exploration->places = claim(exploration->places, exploration->room, sizeof(struct place));
	exploration->table = claim(exploration->table, exploration->room, 2 * sizeof(uint32_t));
	memset(exploration->table, 0, exploration->room * 2 * sizeof(uint32_t));
	for (uint32_t i = 0; i < exploration->count; i++)
		*slot_of(exploration, &exploration->places[i].world) = i + 1;
}

/* The world's place, a new one if need be. */
static uint32_t place_of(struct exploration *exploration, const struct world *world,
			 uint32_t before)
{
	uint32_t *slot;

	if (exploration->count == exploration->room)
		grow(exploration);
	slot = slot_of(exploration, world);
	if (*slot == 0) {
		exploration->places[exploration->count++] =
			(struct place){ .world = *world, .before = before };
		*slot = exploration->count;
	}
	return *slot - 1;
}

static bool note_wrong(struct exploration *exploration, const char *wrong, uint32_t where)
{
	if (wrong != NULL && exploration->wrong == NULL) {
		exploration->wrong = wrong;
		exploration->where = where;
	}
	return wrong != NULL;
}

static struct world first_world(const struct model *model)
{
	struct world world = { .linked = true };

	world.sites[SOURCE].alive = model->kind != KIND_STOPPED;
	world.sites[SOURCE].files = FILES_SYNCED;
	return world;
}

/* Of all that must not change, so that two worlds with the same one are hardly ever different. */
static uint8_t print_of(const struct world *world)
{
	struct world plain = *world;

	plain.calm = 0;
	plain.print = 0;
	return (uint8_t)(hash_of(&plain) >> 8);
}

/* How a recovery must end that cannot reach the other node; 0: nothing may have changed. */
static uint8_t aim_of(const struct site *site, int node)
{
	switch (site->journal) {
	case JOURNAL_BEGUN:
		return node == SOURCE ? CALM_MUST_RUN : CALM_MUST_CLOSE;
	case JOURNAL_FROZEN:
	case JOURNAL_TOLD:
	case JOURNAL_RUNNING:
		return CALM_MUST_RUN;
	default:
		return 0;
	}
}

static const char *find_unsettled(const struct world *world, const struct model *model, int node)
{
	const struct site *site = &world->sites[node];

	if (world->calm & CALM_MUST_CLOSE)
		return is_closed(site) ? NULL : "its journal is left";
	if ((world->calm & CALM_MUST_RUN) == 0)
		return print_of(world) == world->print
			       ? NULL
			       : "it was changed without asking the other node";
	if (site->fenced || (shall_run(model, node) && !world->excused && !executes(site)))
		return "it does not run, although no other node may run it";
	return NULL;
}

/* A calm world in which nothing happens by itself: --recover is run, or all must be well. */
static const char *recover(struct events *events, const struct world *world,
			   const struct model *model)
{
	int node = (world->calm & CALM_NODES) - CALM_ON(SOURCE);
	bool alone = world->calm & CALM_ALONE;
	const char *leftover = alone ? NULL : find_leftover(world, model);
	struct world *to;

	if (!is_quiet(world))
		return "somebody waits for ever";
	if (world->calm & CALM_STARTED)
		return alone ? find_unsettled(world, model, node) : leftover;
	if (leftover != NULL && is_closed(&world->sites[node]))
		node = !node;
	if (is_closed(&world->sites[node]))
		return leftover;
	to = next_world(events, world);
	to->calm |= CALM_STARTED;
	if (alone) {
		to->calm |= aim_of(&to->sites[node], node);
		to->print = print_of(world);
	}
	start_driver(to, model, node, PROGRAM_RECOVERY);
	add(events, EVENT_PERSON, node_names[node], "somebody runs --recover");
	return NULL;
}

/* Follows every way from a calm world to its end: none may turn back on itself. */
static bool ends_well(struct exploration *exploration, uint32_t at)
{
	struct world world = exploration->places[at].world;
	struct events events;

	if (exploration->places[at].mark == MARK_GOOD)
		return true;
	if (exploration->places[at].mark == MARK_OPEN)
		return !note_wrong(exploration, "this goes on for ever", at);
	exploration->places[at].mark = MARK_OPEN;
	find_events(&events, &world, &exploration->model);
	if (note_wrong(exploration, find_wrong(&world, &exploration->model), at) ||
	    (events.count == 0 &&
	     note_wrong(exploration, recover(&events, &world, &exploration->model), at)))
		return false;
	for (size_t i = 0; i < events.count; i++)
		if (!ends_well(exploration, place_of(exploration, &events.items[i].to, at)))
			return false;
	exploration->places[at].mark = MARK_GOOD;
	return true;
}

/* From here on nothing goes wrong any more. */
static bool calm_ends_well(struct exploration *exploration, uint32_t at, int node)
{
	struct world calm = exploration->places[at].world;

	calm.calm = CALM_ON(node);
	if (!calm.linked) {
		calm.calm |= CALM_ALONE;
		if (!ends_well(exploration, place_of(exploration, &calm, at)))
			return false;
		calm.calm = CALM_ON(node);
		calm.linked = true;
	}
	return ends_well(exploration, place_of(exploration, &calm, at));
}

static void explore_from(struct exploration *exploration, uint32_t at)
{
	struct world world = exploration->places[at].world;
	struct events events;

	if (note_wrong(exploration, find_wrong(&world, &exploration->model), at) ||
	    !calm_ends_well(exploration, at, SOURCE) ||
	    !calm_ends_well(exploration, at, DESTINATION))
		return;
	exploration->worlds++;
	find_events(&events, &world, &exploration->model);
	for (size_t i = 0; i < events.count; i++)
		place_of(exploration, &events.items[i].to, at);
}

/* Everything that can happen, however often. Returns what is wrong, NULL when nothing is. */
static const char *explore(struct exploration *exploration, const struct model *model)
{
	struct world first = first_world(model);

	*exploration = (struct exploration){ .model = *model };
	place_of(exploration, &first, 0);
	for (uint32_t at = 0; at < exploration->count && exploration->wrong == NULL; at++)
		if (exploration->places[at].world.calm == 0)
			explore_from(exploration, at);
	return exploration->wrong;
}

static void exploration_release(struct exploration *exploration)
{
	free(exploration->places);
	free(exploration->table);
}

static void print_event(const struct exploration *exploration, const struct world *from,
			const struct world *to)
{
	struct events events;

	if (to->calm != 0 && from->calm == 0) {
		print_message("#    -- from here on nothing more goes wrong --\n");
		return;
	}
	find_events(&events, from, &exploration->model);
	if (events.count == 0)
		recover(&events, from, &exploration->model);
	for (size_t i = 0; i < events.count; i++)
		if (memcmp(&events.items[i].to, to, sizeof(*to)) == 0) {
			print_message("#    %s: %s\n", events.items[i].where, events.items[i].what);
			return;
		}
}

/* How it came to what is wrong. */
static void print_story(const struct exploration *exploration, uint32_t at)
{
	const struct place *place = &exploration->places[at];

	if (at == 0)
		return;
	print_story(exploration, place->before);
	print_event(exploration, &exploration->places[place->before].world, &place->world);
}

#endif
