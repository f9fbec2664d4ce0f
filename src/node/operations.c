// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the table of what a node can do, and for reading each operation's
 * arguments. */
#include <string.h>

#include "base/failure_point.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/checkpoint.h"
#include "node/check.h"
#include "node/dump.h"
#include "node/operations.h"
#include "node/restore.h"
#include "node/retire.h"
#include "node/staging.h"
#include "node/undo.h"

/* A container that is stopped says so at once. */
#define STOPPED_LIMIT_MS 5000

struct call {
	struct host *host;
	json_object *arguments;
	json_object *result;
};

/* Which container is it, and in which state? {"container", "runtime"|null, "online"} */
static int inspect(struct call *call, struct error *err)
{
	struct host *host = call->host;
	const char *id = json_get_text(call->arguments, "container", CONTAINER_ID_MAX, err);

	if (id == NULL || container_check_id(id, err) < 0)
		return -1;
	container_release(&host->container);
	host->runtime =
		runtime_find(id, json_find_text(call->arguments, "runtime"), &host->container, err);
	if (host->runtime == NULL)
		return -1;
	call->result = container_to_json(&host->container);
	return 0;
}

/* Is the node able to, and where do its containers live? {"runtime", "online"} -> {"home"} */
static int survey(struct call *call, struct error *err)
{
	const char *name = json_get_text(call->arguments, "runtime", 32, err);
	bool online = json_find_flag(call->arguments, "online");
	CLEANUP(memory_release) char *home = NULL;

	if (name == NULL)
		return -1;
	call->host->runtime = runtime_by_name(name);
	if (call->host->runtime == NULL)
		return error_exit(err, EXIT_RUNTIME, "there is no runtime '%s'", name);
	if (check_programs(call->host->runtime, online, err) < 0)
		return -1;
	/* On the source the container is known by now. */
	if (online && call->host->container.id != NULL &&
	    (call->host->runtime->checkpointable(&call->host->container, err) < 0 ||
	     check_processes(&call->host->container, err) < 0))
		return -1;
	home = call->host->runtime->home(err);
	if (home == NULL)
		return -1;
	call->result = json_object_new_object();
	json_add_text(call->result, "home", home);
	return 0;
}

/* From here on the container is this process's to move: {"container"} */
static int lock(struct call *call, struct error *err)
{
	const char *id = json_get_text(call->arguments, "container", CONTAINER_ID_MAX, err);

	if (id == NULL || container_check_id(id, err) < 0)
		return -1;
	if (host_lock(call->host, id, err) < 0)
		return -1;
	return host_settle(call->host, id, err);
}

/* Starts the node's part: {"migration", "role", "peer", "keep"}. */
static int begin(struct call *call, struct error *err)
{
	const char *name = json_get_text(call->arguments, "migration", 128, err);
	struct host *host = call->host;

	if (name == NULL)
		return -1;
	/* It becomes part of a path. */
	if (strchr(name, '/') != NULL)
		return error_set(err, "'%s' is no name of a migration", name);
	if (host->runtime == NULL || host->container.id == NULL || host->lock < 0)
		return error_set(err, "a migration begins with inspect, or check, and lock");
	host->keep = json_find_flag(call->arguments, "keep");
	json_object_object_add(call->arguments, "container", container_to_json(&host->container));
	return host_begin(host, call->arguments, err);
}

/* A new agent goes on where the one before was cut off: {"container"} -> {"state"}: the journal's,
 * or "none" when there is none. */
static int adopt(struct call *call, struct error *err)
{
	const char *id = json_get_text(call->arguments, "container", CONTAINER_ID_MAX, err);
	int found;

	if (id == NULL || container_check_id(id, err) < 0)
		return -1;
	found = host_adopt(call->host, id, err);
	if (found < 0)
		return -1;
	call->result = json_object_new_object();
	json_add_text(call->result, "state",
		      found == 0 ? "none" : journal_state_name(call->host->journal.state));
	return 0;
}

static int read_areas(struct call *call, struct areas *areas, struct error *err)
{
	json_object *list = json_get_array(call->arguments, "areas", AREAS_MAX, err);

	return list == NULL ? -1 : areas_from_json(areas, list, err);
}

/* Could the container live here, as `target` describes it? {"target", "areas"} */
static int check(struct call *call, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };
	struct host *host = call->host;
	json_object *target = json_get_object(call->arguments, "target", err);

	container_release(&host->container);
	if (target == NULL)
		return -1;
	if (host->runtime == NULL)
		return error_set(err, "a check follows a survey");
	if (container_from_json(&host->container, target, err) < 0 ||
	    read_areas(call, &areas, err) < 0 || host_find_kept(host, host->container.id, err) < 0)
		return -1;
	return check_destination(host, &areas, err);
}

/* Room for the copy: {"areas"} */
static int stage(struct call *call, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };

	return read_areas(call, &areas, err) < 0 ? -1 : staging_make(call->host, &areas, err);
}

/* Images and hook: -> {"images"} */
static int prepare(struct call *call, struct error *err)
{
	if (checkpoint_prepare(call->host, err) < 0)
		return -1;
	call->result = json_object_new_object();
	json_add_text(call->result, "images", call->host->images);
	return 0;
}

/* The source's processes stop running, for criu or for good. {"online", "grace"} */
static int halt(struct call *call, struct error *err)
{
	struct host *host = call->host;
	int64_t grace;

	if (json_find_flag(call->arguments, "online"))
		return dump_container(host, err);
	if (json_get_number(call->arguments, "grace", 0, 86400, &grace, err) < 0 ||
	    undo_push(host, UNDO_FAILURE, undo_start, json_object_new_object(), err) < 0)
		return -1;
	if (host->runtime->stop(&host->container, (int)grace, err) == 0)
		return 0;
	/* A shutdown that has begun cannot be called back: it is led to its end, so that the
	 * container can be started again. */
	if (err->exit_status == EXIT_INTERRUPTED) {
		struct error ignored;

		wait_shield();
		host->runtime->stop(&host->container, (int)grace, &ignored);
		wait_unshield();
	}
	return -1;
}

/* The copied configuration is made fit for this node: {"from", "areas"} */
static int configure(struct call *call, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };
	CLEANUP(container_release) struct container from = { 0 };
	json_object *object = json_get_object(call->arguments, "from", err);

	if (object == NULL || container_from_json(&from, object, err) < 0 ||
	    read_areas(call, &areas, err) < 0)
		return -1;
	return call->host->runtime->rewrite(&from, &call->host->container, areas.items[0].staging,
					    err);
}

/* {"areas"} */
static int place(struct call *call, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };

	return read_areas(call, &areas, err) < 0 ? -1 : staging_place(call->host, &areas, err);
}

static int restore(struct call *call, struct error *err)
{
	return restore_container(call->host, err);
}

/* The source can no longer be started by hand or at boot; where it is to be `stopped`, nobody has
 * started it before. */
static int fence(struct call *call, struct error *err)
{
	struct host *host = call->host;

	if (undo_push(host, UNDO_FAILURE, undo_unfence, json_object_new_object(), err) < 0 ||
	    host->runtime->fence(&host->container, err) < 0)
		return -1;
	if (!json_find_flag(call->arguments, "stopped") ||
	    host->runtime->settle(&host->container, STOPPED_LIMIT_MS, err) == 0)
		return 0;
	return error_exit(err, EXIT_LOCKED, "container '%s' was started meanwhile",
			  host->container.id);
}

/* The one moment: from here on the destination owns the container. */
static int commit(struct call *call, struct error *err)
{
	return journal_set_state(&call->host->journal, JOURNAL_COMMITTED, err);
}

/* The destination has said that it is gone there: the source owns it again. */
static int regain(struct call *call, struct error *err)
{
	return journal_set_state(&call->host->journal, JOURNAL_BEGUN, err);
}

/*
 * The destination is told that it owns the container: {"mode": "resume"|"start"|"leave"} ->
 * {"state": "running"|"stopped"|"gone", "reason"}. Gone is certain: nothing of it runs here.
 */
static int take_over(struct call *call, struct error *err)
{
	struct host *host = call->host;
	const char *mode = json_get_text(call->arguments, "mode", 16, err);
	struct error reason = { 0 };
	const char *state = "stopped";
	int runs;

	if (mode == NULL || journal_set_state(&host->journal, JOURNAL_TOLD, err) < 0)
		return -1;
	if (strcmp(mode, "leave") == 0 && !file_exists(host->container.directory)) {
		error_set(&reason, "'%s' is not there", host->container.directory);
		state = "gone";
	} else if (strcmp(mode, "leave") != 0) {
		/* Told is told: no signal to this process may end it halfway. */
		wait_shield();
		runs = strcmp(mode, "resume") == 0 ? restore_resume(host, &reason)
						   : check_start(host, &reason);
		wait_unshield();
		if (runs < 0)
			return error_exit(err, EXIT_UNRESOLVED, "%.900s", reason.text);
		state = runs == 1 ? "running" : "gone";
	}
	call->result = json_object_new_object();
	json_add_text(call->result, "state", state);
	json_add_text(call->result, "reason", reason.text);
	return 0;
}

static int release(struct call *call, struct error *err)
{
	return dump_release(call->host, err);
}

/* Removes the source's container or leaves it renamed: {"remove"} */
static int retire(struct call *call, struct error *err)
{
	return retire_container(call->host, json_find_flag(call->arguments, "remove"), err);
}

/* The node's part is over: {"areas"|none}: those are synced to the disk first. */
static int finish(struct call *call, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };

	if (json_object_object_get_ex(call->arguments, "areas", NULL) &&
	    (read_areas(call, &areas, err) < 0 || staging_sync(&areas, err) < 0))
		return -1;
	if (restore_settle(call->host, err) < 0)
		return -1;
	return host_finish(call->host, err);
}

static int rollback(struct call *call, struct error *err)
{
	return host_rollback(call->host, err);
}

static const struct operation {
	const char *name;
	int (*run)(struct call *call, struct error *err);
	bool mutates; /* changes the node: not in a dry run */
} operations[] = {
	{ "inspect", inspect, false }, { "survey", survey, false },
	{ "lock", lock, false },       { "check", check, false },
	{ "begin", begin, true },      { "adopt", adopt, true },
	{ "stage", stage, true },      { "prepare", prepare, true },
	{ "halt", halt, true },	       { "configure", configure, true },
	{ "place", place, true },      { "restore", restore, true },
	{ "fence", fence, true },      { "commit", commit, true },
	{ "regain", regain, true },    { "take-over", take_over, true },
	{ "release", release, true },  { "retire", retire, true },
	{ "finish", finish, true },    { "rollback", rollback, true },
};

int operation_run(struct host *host, const char *name, json_object *arguments, json_object **result,
		  struct error *err)
{
	struct call call = { .host = host, .arguments = arguments };
	int64_t started = wait_clock();
	int outcome;

	*result = NULL;
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		if (strcmp(name, operations[i].name) != 0)
			continue;
		if (operations[i].mutates && host->lock < 0)
			return error_set(err, "the operation '%s' wants the container's lock",
					 name);
		outcome = failure_point("operation", name, "", err);
		if (outcome == 0)
			outcome = operations[i].run(&call, err);
		if (outcome == 0)
			outcome = failure_point("operation", name, " done", err);
		log_debug("operation %s: %d ms", name, (int)(wait_clock() - started));
		*result = call.result;
		return outcome;
	}
	return error_set(err, "there is no operation '%.40s'", name);
}
