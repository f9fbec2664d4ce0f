// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the order of a migration. What a step changes on a node is taken back by
 * that node's own journal (node/undo.h), so the rows need no undo of their own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/turn.h"
#include "base/wait.h"
#include "migration/begin.h"
#include "migration/checks.h"
#include "migration/copy.h"
#include "migration/copy_memory.h"
#include "migration/settle.h"
#include "node/check.h"
#include "migration/steps.h"

/* So long may a clean shutdown take before the container is killed: as init systems allow services. */
#define SHUTDOWN_GRACE_SECONDS 90

static bool is_online(const struct migration *migration)
{
	return migration_kind(migration) == KIND_ONLINE;
}

static int find(struct migration *migration, struct error *err)
{
	CLEANUP(json_release) json_object *found = NULL;
	json_object *arguments = json_object_new_object();

	json_add_text(arguments, "container", migration->id);
	json_add_text(arguments, "runtime", migration->options->runtime);
	if (node_call(&migration->source, "inspect", arguments, &found, err) < 0 ||
	    container_from_json(&migration->container, found, err) < 0)
		return -1;
	if (migration->options->online && migration->container.state == CONTAINER_STOPPED)
		return error_exit(err, EXIT_VE_STOPPED,
				  "container '%s' is stopped, so it cannot be moved online: leave "
				  "out --online",
				  migration->id);
	if (migration->container.state == CONTAINER_FROZEN)
		return error_exit(err, EXIT_VE_STOP, "container '%s' is frozen: thaw or stop it",
				  migration->id);
	return 0;
}

static int lock_source(struct migration *migration, struct error *err)
{
	CLEANUP(json_release) json_object *settled = NULL;
	json_object *arguments;
	const char *name;

	/* With --dry-run the check "locked" looks, and nobody's file is made. */
	if (migration->options->check_only)
		return 0;
	arguments = json_object_new_object();
	json_add_text(arguments, "container", migration->id);
	if (node_call(&migration->source, "lock", arguments, &settled, err) < 0)
		return -1;
	name = json_find_text(settled, "taken-back");
	if (name != NULL)
		migration->given_up = memory_duplicate(name);
	return 0;
}

static int connect_destination(struct migration *migration, struct error *err)
{
	const struct migration_options *options = migration->options;
	int outcome;

	if (turn_take(options->turns, TURN_CONNECT, err) < 0)
		return -1;
	outcome = session_connect(migration->session, &options->destination, &options->ssh,
				  options->timeout_seconds, err);
	turn_give(options->turns, TURN_CONNECT);
	if (outcome < 0 || session_start_agent(migration->session, err) < 0)
		return -1;
	migration->destination = &migration->session->node;
	return 0;
}

/* Of several containers that move at once only one is stopped at any moment. */
static int await_turn(struct migration *migration, struct error *err)
{
	return turn_take(migration->options->turns, TURN_STOP, err);
}

static int halt(struct migration *migration, struct error *err)
{
	json_object *arguments = json_object_new_object();

	migration->stop_began = wait_clock();
	json_add_flag(arguments, "online", is_online(migration));
	json_add_number(arguments, "grace", SHUTDOWN_GRACE_SECONDS);
	return node_call(&migration->source, "halt", arguments, NULL, err);
}

/* First it is found out what the container has changed, then criu changes its memory, too. */
static int dump(struct migration *migration, struct error *err)
{
	if (copy_memory_frozen(migration, err) < 0)
		return -1;
	return node_call(&migration->source, "dump", NULL, NULL, err);
}

static int await_dump(struct migration *migration, struct error *err)
{
	return node_call(&migration->source, "await-dump", NULL, &migration->dumped, err);
}

/* criu, too, is ready for the freeze. */
static int arm(struct migration *migration, struct error *err)
{
	CLEANUP(json_release) json_object *answer = NULL;
	json_object *arguments = json_object_new_object();

	json_add_flag(arguments, "memory_apart", migration->copy.apart);
	if (node_call(&migration->source, "arm", arguments, &answer, err) < 0)
		return -1;
	json_object_put(migration->early);
	migration->early = json_object_get(json_object_object_get(answer, "early"));
	return 0;
}

/* A copy of what runs is of one moment: nothing runs while the last pass is made. */
static int pause_source(struct migration *migration, struct error *err)
{
	migration->stop_began = wait_clock();
	return node_call(&migration->source, "pause", NULL, NULL, err);
}

static int unpause_source(struct migration *migration, struct error *err)
{
	if (node_call(&migration->source, "unpause", NULL, NULL, err) < 0)
		return -1;
	migration->stopped_ms = wait_clock() - migration->stop_began;
	return 0;
}

static int fence(struct migration *migration, struct error *err)
{
	json_object *arguments = json_object_new_object();

	if (migration->fenced)
		return 0;
	json_add_flag(arguments, "stopped", !is_online(migration));
	if (node_call(&migration->source, "fence", arguments, NULL, err) < 0)
		return -1;
	migration->fenced = true;
	return 0;
}

static int place(struct migration *migration, struct error *err)
{
	json_object *arguments = migration_areas(migration);

	if (migration->placed)
		return 0;
	json_object_object_add(arguments, "from", container_to_json(&migration->container));
	if (node_call(migration->destination, "configure", arguments, NULL, err) < 0 ||
	    node_call(migration->destination, "place", migration_areas(migration), NULL, err) < 0)
		return -1;
	migration->placed = true;
	return 0;
}

static int arm_restore(struct migration *migration, struct error *err)
{
	json_object *arguments = json_object_new_object();

	json_add_flag(arguments, "memory_apart", migration->copy.apart);
	json_object_object_add(arguments, "early", json_object_get(migration->early));
	return node_call(migration->destination, "arm-restore", arguments, NULL, err);
}

/* While criu dumps: what need not wait for it. */
static int ready(struct migration *migration, struct error *err)
{
	if (!copy_late_is_apart(migration))
		return 0;
	if (place(migration, err) < 0 ||
	    (migration->early != NULL && arm_restore(migration, err) < 0))
		return -1;
	return fence(migration, err);
}

static int restore(struct migration *migration, struct error *err)
{
	json_object *arguments = json_object_get(migration->dumped);

	json_add_flag(arguments, "memory_apart", migration->copy.apart);
	json_add_flag(arguments, "late", migration->copy.late);
	return node_call(migration->destination, "restore", arguments, NULL, err);
}

static int commit(struct migration *migration, struct error *err)
{
	if (node_call(&migration->source, "commit", NULL, NULL, err) < 0)
		return -1;
	migration->committed = true;
	return 0;
}

static int tell(struct migration *migration, json_object **answer, struct error *err)
{
	return node_call(migration->destination, "take-over", NULL, answer, err);
}

/* The same through a lost connection: the destination is called again until it answers. */
static int tell_until_heard(struct migration *migration, json_object **answer, struct error *err)
{
	int found;

	if (tell(migration, answer, err) == 0)
		return 0;
	if (err->exit_status != EXIT_CONNECT)
		return -1;
	found = settle_reconnect(migration, err);
	if (found < 0)
		return -1;
	if (found > 0)
		return tell(migration, answer, err);
	/* It had not been told yet, and its agent has put everything back. */
	*answer = json_object_new_object();
	json_add_text(*answer, "state", "gone");
	json_add_text(*answer, "reason", "the connection was lost before the switch");
	return 0;
}

/* From here on nobody needs to ask the destination any more who owns it. */
static int note_moved(struct migration *migration)
{
	struct error failure;

	if (node_call(&migration->source, "moved", NULL, NULL, &failure) == 0)
		return 0;
	migration->unfinished = true;
	log_warning("container '%s' is on %s, but: %s", migration->id,
		    migration->options->destination.host, failure.text);
	return 0;
}

/*
 * The destination is told. What it answers is certain; no answer at all means that neither node may
 * act alone, so then nothing is put back.
 */
static int take_over(struct migration *migration, struct error *err)
{
	CLEANUP(json_release) json_object *answer = NULL;
	const char *state;

	if (tell_until_heard(migration, &answer, err) < 0)
		return -1;
	if (migration->stop_began > 0)
		migration->stopped_ms = wait_clock() - migration->stop_began;
	state = json_get_text(answer, "state", 16, err);
	if (state == NULL)
		return -1;
	if (strcmp(state, "gone") != 0)
		return note_moved(migration);
	/* First there, then here: while it is known to be there, nobody may have it back. */
	if (settle_roll_back(migration, err) < 0 ||
	    node_call(&migration->source, "regain", NULL, NULL, err) < 0)
		return -1;
	migration->begun_there = false;
	migration->committed = false;
	state = json_get_text(answer, "reason", 1023, err);
	return error_exit(err, EXIT_VE_START, "%s: %.900s", migration->options->destination.host,
			  state != NULL ? state : "it could not be started");
}

static int copy_rest(struct migration *migration, struct error *err)
{
	return migration->unfinished ? 0 : copy_memory_follow(migration, err);
}

/*
 * After the first moments over there: freeing much memory takes long, and where both nodes share processors the
 * container would feel it. What else has failed since it is known to be there is no reason to keep the original.
 */
static int release(struct migration *migration, struct error *err)
{
	if (migration->host.journal.state != JOURNAL_MOVED)
		return 0;
	return node_call(&migration->source, "release", NULL, NULL, err);
}

static int fill(struct migration *migration, struct error *err)
{
	if (migration->unfinished || !migration->copy.apart)
		return 0;
	return node_call(migration->destination, "await-memory", NULL, NULL, err);
}

/* Until the copy is on the destination's disk the source's is the only safe one, so a lost connection is
 * no reason to give up. */
static int finish(struct migration *migration, struct error *err)
{
	if (migration->unfinished)
		return 0;
	if (node_call(migration->destination, "finish", NULL, NULL, err) == 0)
		return 0;
	if (err->exit_status != EXIT_CONNECT || settle_reconnect(migration, err) < 0)
		return -1;
	return node_call(migration->destination, "finish", NULL, NULL, err);
}

/* The copy is complete; from here on it is nobody's to take back. */
static int finish_copy(struct migration *migration, struct error *err)
{
	if (node_call(migration->destination, "finish", NULL, NULL, err) < 0)
		return -1;
	migration->begun_there = false;
	if (node_call(&migration->source, "finish", NULL, NULL, err) < 0)
		return -1;
	return 0;
}

static int retire(struct migration *migration, struct error *err)
{
	if (migration->unfinished)
		return error_set(err,
				 "what is left of it on this node stays, fenced, in '%s', until "
				 "'vzmigrate --recover %s' is run here",
				 migration->container.directory, migration->id);
	if (node_call(&migration->source, "retire", NULL, NULL, err) < 0)
		return -1;
	return node_call(&migration->source, "finish", NULL, NULL, err);
}

const struct step steps[] = {
	/* clang-format off */
	/* name, notice, for which kinds, phase, exit status of a failure, what is done */
	{ "lock", NULL, KIND_ANY, PHASE_CHECK, EXIT_LOCKED, lock_source },
	{ "find", NULL, KIND_ANY, PHASE_CHECK, EXIT_NOTEXIST, find },
	{ "connect", "connecting", KIND_ANY, PHASE_CHECK, EXIT_CONNECT, connect_destination },
	{ "check", "checking both nodes", KIND_ANY, PHASE_CHECK, EXIT_RUNTIME, checks_make },
	{ "create", NULL, KIND_ANY, PHASE_BEFORE, EXIT_COPY, begin_create },
	{ "fence", NULL, KIND_STOPPED, PHASE_BEFORE, EXIT_COPY, fence },
	{ "watch", NULL, KIND_RUNNING, PHASE_BEFORE, EXIT_COPY, copy_watch },
	{ "copy-files", "copying files", KIND_ANY, PHASE_BEFORE, EXIT_COPY, copy_files },
	{ "await-turn", NULL, KIND_RUNNING, PHASE_BEFORE, EXIT_VE_STOP, await_turn },
	{ "prepare-switch", NULL, KIND_ONLINE, PHASE_BEFORE, EXIT_VE_START, copy_memory_prepare },
	{ "copy-memory", "copying memory", KIND_ONLINE, PHASE_BEFORE, EXIT_COPY, copy_memory },
	{ "copy-again", NULL, KIND_RUNNING, PHASE_BEFORE, EXIT_COPY, copy_again },
	{ "stop", "stopping", KIND_SHUTDOWN, PHASE_BEFORE, EXIT_VE_STOP, halt },
	{ "arm", NULL, KIND_ONLINE, PHASE_BEFORE, EXIT_VE_STOP, arm },
	{ "final-round", NULL, KIND_ONLINE, PHASE_BEFORE, EXIT_COPY, copy_memory_again },
	{ "freeze", "freezing and dumping", KIND_ONLINE, PHASE_BEFORE, EXIT_VE_STOP, halt },
	{ "dump", NULL, KIND_ONLINE, PHASE_BEFORE, EXIT_VE_STOP, dump },
	{ "fence", NULL, KIND_SHUTDOWN, PHASE_BEFORE, EXIT_COPY, fence },
	{ "pause", "pausing", KIND_COPY_RUNNING, PHASE_BEFORE, EXIT_VE_STOP, pause_source },
	{ "copy-last", "copying what changed", KIND_RUNNING | KIND_COPY_RUNNING, PHASE_BEFORE, EXIT_COPY, copy_last },
	{ "ready", NULL, KIND_ONLINE, PHASE_BEFORE, EXIT_COPY, ready },
	{ "unpause", NULL, KIND_COPY_RUNNING, PHASE_BEFORE, EXIT_VE_STOP, unpause_source },
	{ "await-dump", NULL, KIND_ONLINE, PHASE_BEFORE, EXIT_VE_STOP, await_dump },
	{ "copy-images", "copying what is left of memory", KIND_ONLINE, PHASE_BEFORE, EXIT_COPY, copy_images },
	{ "place", NULL, KIND_ANY, PHASE_BEFORE, EXIT_COPY, place },
	{ "restore", "restoring", KIND_ONLINE, PHASE_BEFORE, EXIT_VE_START, restore },
	{ "fence", NULL, KIND_ONLINE, PHASE_BEFORE, EXIT_VE_START, fence },
	{ "finish-copy", NULL, KIND_STAY, PHASE_BEFORE, EXIT_COPY, finish_copy },
	{ "commit", NULL, KIND_MOVE, PHASE_BEFORE, EXIT_VE_START, commit },
	{ "resume", NULL, KIND_ONLINE, PHASE_SWITCH, EXIT_VE_START, take_over },
	{ "start", "starting", KIND_RESTART, PHASE_SWITCH, EXIT_VE_START, take_over },
	{ "hand-over", NULL, KIND_LEFT, PHASE_SWITCH, EXIT_VE_START, take_over },
	{ "copy-rest", NULL, KIND_ONLINE, PHASE_AFTER, EXIT_COPY, copy_rest },
	{ "fill", "filling in memory", KIND_ONLINE, PHASE_AFTER, EXIT_VE_START, fill },
	{ "release", NULL, KIND_ONLINE, PHASE_AFTER, EXIT_VE_STOP, release },
	{ "finish", NULL, KIND_MOVE, PHASE_AFTER, EXIT_COPY, finish },
	{ "retire", "cleaning up", KIND_MOVE, PHASE_AFTER, EXIT_COPY, retire },
	/* clang-format on */
};

const size_t step_count = COUNT_OF(steps);
