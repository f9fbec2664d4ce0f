/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world of one migration, for trying the commit protocol: two nodes with their journals, the
 * container's processes, criu's hooks and files on each, who works on it, and what is under way
 * between them; and what must be true of it at every moment.
 */
#ifndef TESTS_PROTOCOL_WORLD_H
#define TESTS_PROTOCOL_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "node/protocol.h"

/* The nodes. */
enum { SOURCE, DESTINATION };

/* How it is moved: running, with a restart, shut down and not started again, or it is stopped. */
enum kind { KIND_ONLINE, KIND_RESTART, KIND_LEFT, KIND_STOPPED };

/* criu waits in its hook and holds the tree. */
enum hook {
	HOOK_NONE,
	HOOK_HEARD,    /* whoever has the lock can answer it */
	HOOK_ORPHAN,   /* nobody can: the journal decides */
	HOOK_REFUSES,  /* it has decided and is about to say so */
	HOOK_PROCEEDS, /* the same */
};

enum files {
	FILES_NONE,
	FILES_COPIED, /* in their place, but a power loss would damage them */
	FILES_SYNCED,
	FILES_DAMAGED,
};

/* Who has the lock, and works on the container here. */
enum holder { HOLDER_NONE, HOLDER_DRIVER, HOLDER_AGENT };

enum program {
	PROGRAM_MIGRATION,
	PROGRAM_MIGRATION_AGAIN, /* a second one, which has taken back an earlier one here */
	PROGRAM_RECOVERY,
};

/* All fields are bytes, so that two worlds are compared as bytes. */
struct site {
	uint8_t journal; /* enum journal_state, as on the disk */
	uint8_t alive;	 /* there are processes of the container */
	uint8_t frozen;	 /* their cgroup is */
	uint8_t hook;
	uint8_t armed;	   /* criu waits in its hook, but before the dump: it holds nothing yet */
	uint8_t late_thaw; /* an orphaned hook has refused, and its child has not thawed yet */
	uint8_t files;
	uint8_t fenced; /* nobody can start it from these files */
	uint8_t holder;
	uint8_t work;	 /* what the holder does next, 0: it does nothing */
	uint8_t fresh;	 /* of a take-over under way: it had not been let run before */
	uint8_t step;	 /* a driver's, 0: there is none */
	uint8_t program; /* a driver's */
	uint8_t peer;	 /* what a driver knows of the other node's journal */
};

struct world {
	struct site sites[2];
	uint8_t linked;	   /* the network between them works */
	uint8_t connected; /* the agent, of which there is never more than one, and who called it */
	uint8_t request;   /* on its way to the agent, or in its pipe: the caller's step */
	uint8_t answer;	   /* on its way to the caller */
	uint8_t ran;	   /* it has run on the destination: the newest state is there */
	uint8_t harmed;	   /* somebody has killed its processes, or a node lost power */
	uint8_t excused;   /* what ran where it belongs was killed there: nobody's to restart */
	uint8_t wrong;	   /* enum wrong: a step that must not be made was made */
	uint8_t calm;	   /* see tests/unit/protocol_explore.h */
	uint8_t print;	   /* the same */
};

enum wrong { WRONG_NOTHING, WRONG_RESTARTED, WRONG_THROWN_AWAY };

/* The protocol under test. All at false and 0 it is the product's; each deviation is one that a test
 * must find to be wrong. */
struct protocol {
	enum settlement (*settle)(enum journal_state source, enum journal_state destination);
	enum orphan (*orphan)(bool dump, enum journal_state own);
	bool keeps;	  /* --keep-dst; this one is no deviation */
	bool places_late; /* the copy, and fences the source, after the dump; no deviation */
	bool tells_before_commit; /* and commits when it is answered */
	bool commits_unsynced;	  /* the source's COMMITTED does not outlive a power loss */
	bool tells_unsynced;	  /* the destination's TOLD does not */
	bool runs_unsynced;	  /* the destination's RUNNING does not */
	bool runs_before_note;	  /* RUNNING is noted after the thaw */
	bool tells_over_running;  /* TOLD is noted even when RUNNING was */
	bool places_unfenced;	  /* the copy can be started from its first moment on */
	bool syncs_late;	  /* the copy is only synced at the end */
	bool regains_first;	  /* on "gone", before the destination has rolled back */
	bool gone_after_running;  /* a start that fails is "gone" although it ran before */
	bool rolls_back_told;	  /* without noting first that nothing is told any more */
	bool commits_unseen;	  /* without looking whether its hook still waits */
	bool commits_unfenced;	  /* the source can be started by hand and at boot */
	bool agent_drops_held;	  /* an agent that loses its source rolls back whatever it is */
	bool finishes_first;	  /* the destination, before the source has noted MOVED */
	bool finishes_unnoted;	  /* although MOVED could not be written */
	bool thaws_early;	  /* a recovery, while the orphaned hook is still deciding */
};

struct model {
	struct protocol protocol;
	enum kind kind;
};

/* Is it to run on this node, where this is the one that has it? */
static bool shall_run(const struct model *model, int node)
{
	return model->kind == KIND_ONLINE || model->kind == KIND_RESTART ||
	       (model->kind == KIND_LEFT && node == SOURCE);
}

static bool executes(const struct site *site)
{
	return site->alive && !site->frozen && (site->hook == HOOK_NONE || site->armed);
}

/* Nothing is left to be settled here. */
static bool is_closed(const struct site *site)
{
	return site->journal == JOURNAL_ABSENT || site->journal == JOURNAL_KEPT;
}

/* What must never be; NULL when all is well. */
static const char *find_wrong(const struct world *world, const struct model *model)
{
	const struct site *source = &world->sites[SOURCE];
	const struct site *destination = &world->sites[DESTINATION];

	if (executes(source) && executes(destination))
		return "two copies run";
	if (world->ran && executes(source))
		return "the source runs on, although the newest state is on the destination";
	if (world->ran && destination->files == FILES_NONE)
		return "the destination's copy is removed, although it has the newest state";
	if (executes(destination) && destination->files == FILES_DAMAGED)
		return "the destination runs from files that a power loss has damaged";
	if (source->files == FILES_NONE && destination->files != FILES_SYNCED)
		return "the source's files are gone, and there is no safe copy";
	if (model->kind == KIND_ONLINE && !world->harmed && !source->alive && !destination->alive)
		return "the container's memory was thrown away";
	if (world->wrong == WRONG_RESTARTED)
		return "it is restarted from its files without need";
	if (world->wrong == WRONG_THROWN_AWAY)
		return "what is in the container's memory was thrown away";
	return NULL;
}

/* Nobody is at it any more, and no process of ours is about to do anything. */
static bool is_quiet(const struct world *world)
{
	for (int node = SOURCE; node <= DESTINATION; node++) {
		const struct site *site = &world->sites[node];

		if (site->holder != HOLDER_NONE || site->late_thaw || site->hook == HOOK_REFUSES ||
		    site->hook == HOOK_PROCEEDS)
			return false;
	}
	return true;
}

/* The container is on exactly one node, runs there if it shall, and nothing else is left. */
static const char *find_leftover(const struct world *world, const struct model *model)
{
	int owner = world->sites[SOURCE].files == FILES_NONE ? DESTINATION : SOURCE;
	const struct site *here = &world->sites[owner];
	const struct site *there = &world->sites[!owner];

	if (!is_closed(here) || !is_closed(there))
		return "a journal is left";
	if (here->hook != HOOK_NONE || there->hook != HOOK_NONE)
		return "a hook waits for ever";
	if (there->files != FILES_NONE)
		return "there are two copies of its files";
	if (there->alive)
		return "processes are left on the node that has not got it";
	if (here->files == FILES_NONE || here->files == FILES_DAMAGED)
		return "its files are lost";
	if (here->fenced)
		return "it cannot be started";
	if (shall_run(model, owner) && !world->excused && !executes(here))
		return "it runs nowhere";
	if (here->alive && !executes(here))
		return "it stays frozen";
	return NULL;
}

#endif
