// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the table of what a node can do, and for reading operations' arguments. */
#include <string.h>

#include "base/failure_point.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/adopt.h"
#include "node/check.h"
#include "node/checkpoint.h"
#include "node/dump.h"
#include "node/early_images.h"
#include "node/halt.h"
#include "node/hook.h"
#include "node/manifest.h"
#include "node/memory_way.h"
#include "node/operations.h"
#include "node/restore.h"
#include "node/retire.h"
#include "node/switch.h"
#include "node/throttle.h"
#include "node/undo.h"
#include "node/watch.h"

#define STOPPED_LIMIT_MS 5000 /* a container that is stopped says so at once */

struct call {
	struct host *host;
	json_object *arguments;
	json_object *result;
};

/* Which container is it, and in which state? {"container", "runtime"|null, "online"} */
static int inspect(struct call *call, struct error *err)
{
	struct host *host = call->host;
	const char *id = json_get_text(call->arguments, "container", CONTAINER_PATH_MAX, err);

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

/* Where do the runtime's containers live? (node/check.h) */
static int survey(struct call *call, struct error *err)
{
	return check_survey(call->host, call->arguments, &call->result, err);
}

/*
 * From here on the container is this process's to move; what an earlier migration left is settled:
 * {"container", "given-up"|null: a migration that the source knows was never committed} ->
 * {"taken-back"|null: the name of one that was}.
 */
static int lock(struct call *call, struct error *err)
{
	const char *id = json_get_text(call->arguments, "container", CONTAINER_PATH_MAX, err);
	CLEANUP(memory_release) char *name = NULL;

	if (id == NULL || container_check_id(id, err) < 0 || host_lock(call->host, id, err) < 0 ||
	    adopt_settle(call->host, id, json_find_text(call->arguments, "given-up"), &name, err) <
		    0)
		return -1;
	call->result = json_object_new_object();
	json_add_text(call->result, "taken-back", name);
	return 0;
}

/* Starts the node's part. The arguments become the journal's header (node/journal.h). */
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

/*
 * Goes on where another process was cut off, with the lock: {"container", "migration"|null: its name,
 * "keep-journal"} -> {"state": the journal's, "none" when there is nothing of it}.
 */
static int adopt(struct call *call, struct error *err)
{
	const char *id = json_get_text(call->arguments, "container", CONTAINER_PATH_MAX, err);

	if (id == NULL || container_check_id(id, err) < 0 || host_lock(call->host, id, err) < 0 ||
	    adopt_migration(call->host, id, json_find_text(call->arguments, "migration"),
			    json_find_flag(call->arguments, "keep-journal"), err) < 0)
		return -1;
	call->result = json_object_new_object();
	json_add_text(call->result, "state", journal_state_name(call->host->journal.state));
	return 0;
}

static int read_areas(struct call *call, struct areas *areas, struct error *err)
{
	json_object *list = json_get_array(call->arguments, "areas", AREAS_MAX, err);

	return list == NULL ? -1 : areas_from_json(areas, list, err);
}

/* Can the migration be, as far as this node knows? (node/check.h) */
static int check(struct call *call, struct error *err)
{
	return check_operation(call->host, call->arguments, &call->result, err);
}

/* Room for the copy: {"areas", "quota"} */
static int stage(struct call *call, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };
	struct quota quota = { 0 };

	if (read_areas(call, &areas, err) < 0 || quota_from_json(call->arguments, &quota, err) < 0)
		return -1;
	return staging_make(call->host, &areas, &quota, err);
}

/*
 * Images and hook, first on the destination; where memory is to be copied apart from the images, and can be,
 * also for that; then, with "nftables" of its answer, on the source: {"memory", "nftables"} ->
 * {"images", "nftables": does criu here know that lock, "memory"|null: where it goes, "lacks"|null: why it
 * cannot be}
 */
static int prepare(struct call *call, struct error *err)
{
	struct host *host = call->host;
	struct memory_way way = { 0 };

	if (checkpoint_prepare(host, err) < 0 || staging_sync(host, err) < 0)
		return -1;
	if (json_find_flag(call->arguments, "memory") && memory_way_prepare(host, &way, err) < 0)
		return -1;
	call->result = json_object_new_object();
	json_add_text(call->result, "images", host->images);
	json_add_flag(call->result, "nftables", host->nftables);
	json_add_text(call->result, "memory", host->memory);
	json_add_text(call->result, "lacks", way.lacks.exit_status != 0 ? way.lacks.text : NULL);
	host->nftables = host->nftables && json_find_flag(call->arguments, "nftables");
	return 0;
}

/* The container runs more slowly: {"percent"} of what it might before. */
static int throttle(struct call *call, struct error *err)
{
	int64_t percent;

	if (json_get_number(call->arguments, "percent", 1, 100, &percent, err) < 0)
		return -1;
	return throttle_set(call->host, (int)percent, err);
}

/* criu waits for the freeze: {"memory_apart"} -> {"early": node/early_images.h's, or null} */
static int arm(struct call *call, struct error *err)
{
	if (dump_arm(call->host, json_find_flag(call->arguments, "memory_apart"), err) < 0)
		return -1;
	call->result = json_object_new_object();
	json_object_object_add(call->result, "early", early_images_read(call->host->images));
	return 0;
}

/* The source's processes stop running, for criu, which is armed, or for good. {"online", "grace"} */
static int halt(struct call *call, struct error *err)
{
	int64_t grace;

	if (json_find_flag(call->arguments, "online"))
		return dump_freeze(call->host, err);
	return json_get_number(call->arguments, "grace", 0, 86400, &grace, err) < 0
		       ? -1
		       : halt_stop(call->host, (int)grace, err);
}

/* Returns when criu has dumped what `halt` froze: -> {"images": what it wrote, the manifest} */
static int await_dump(struct call *call, struct error *err)
{
	return dump_await(call->host, &call->result, err);
}

/* From here on it is known which paths change: {"areas"} */
static int watch(struct call *call, struct error *err)
{
	return watch_begin(call->host, call->arguments, err);
}

/* What has changed since it was asked the last time? (node/watch.h) */
static int collect(struct call *call, struct error *err)
{
	return watch_collect(call->host, call->arguments, &call->result, err);
}

/* The copied configuration is made fit for this node: {"from", "areas"} */
static int configure(struct call *call, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };
	CLEANUP(container_release) struct container from = { 0 };
	json_object *object = json_get_object(call->arguments, "from", err);
	struct host *host = call->host;
	struct container staged;

	if (object == NULL || container_from_json(&from, object, err) < 0 ||
	    read_areas(call, &areas, err) < 0)
		return -1;
	staged = host->container;
	staged.directory = areas.items[0].staging;
	if (host->runtime->rewrite(&from, &host->container, staged.directory, err) < 0)
		return -1;
	return host->runtime->autostarts ? host->runtime->fence(&staged, err) : 0;
}

/* {"areas"} */
static int place(struct call *call, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };

	if (read_areas(call, &areas, err) < 0 || staging_place(call->host, &areas, err) < 0 ||
	    staging_sync_begin(call->host, &areas, err) < 0)
		return -1;
	/* Where a restore follows, that waits for it. */
	return switch_mode_is(call->host, "resume") ? 0 : staging_sync_end(call->host, err);
}

/* What the restore needs but the images: {"memory_apart", "early"} */
static int arm_restore(struct call *call, struct error *err)
{
	json_object *early = json_get_object(call->arguments, "early", err);

	if (early == NULL || early_images_write(call->host->images, early, err) < 0)
		return -1;
	return restore_arm(call->host, json_find_flag(call->arguments, "memory_apart"), err);
}

/* {"images": the manifest of the dump, "memory_apart", "late": files came after the copy was put into its place} */
static int restore(struct call *call, struct error *err)
{
	json_object *images = json_get_object(call->arguments, "images", err);

	if (images == NULL || manifest_check(call->host->images, images, err) < 0)
		return -1;
	if (json_find_flag(call->arguments, "late") && staging_sync_again(call->host, err) < 0)
		return -1;
	return restore_container(call->host, json_find_flag(call->arguments, "memory_apart"), err);
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

/* {"alone"} -> {"state": "running"|"stopped"|"gone", "reason"} */
static int take_over(struct call *call, struct error *err)
{
	static const char *const names[] = {
		[ARRIVAL_GONE] = "gone",
		[ARRIVAL_STOPPED] = "stopped",
		[ARRIVAL_RUNNING] = "running",
	};
	struct error reason = { 0 };
	enum arrival arrival;

	if (switch_take_over(call->host, json_find_flag(call->arguments, "alone"), &arrival,
			     &reason, err) < 0)
		return -1;
	call->result = json_object_new_object();
	json_add_text(call->result, "state", names[arrival]);
	json_add_text(call->result, "reason", reason.text);
	return 0;
}

/* What must be there before it runs. */
enum needs { NEEDS_NOTHING, NEEDS_LOCK, NEEDS_JOURNAL };

static const struct operation {
	const char *name;
	int (*run)(struct call *call, struct error *err);
	int (*act)(struct host *host, struct error *err); /* instead: nothing to read or tell */
	enum needs needs;
	bool mutates; /* changes the node: not in a dry run */
} operations[] = {
	/* clang-format off */
	{ "inspect", inspect, NULL, NEEDS_NOTHING, false },
	{ "survey", survey, NULL, NEEDS_NOTHING, false },
	{ "lock", lock, NULL, NEEDS_NOTHING, false },
	{ "check", check, NULL, NEEDS_NOTHING, false },
	{ "adopt", adopt, NULL, NEEDS_NOTHING, true },
	{ "begin", begin, NULL, NEEDS_LOCK, true },
	{ "stage", stage, NULL, NEEDS_JOURNAL, true },
	{ "prepare", prepare, NULL, NEEDS_JOURNAL, true },
	{ "watch", watch, NULL, NEEDS_JOURNAL, true },
	{ "collect", collect, NULL, NEEDS_JOURNAL, true },
	{ "throttle", throttle, NULL, NEEDS_JOURNAL, true },
	{ "arm", arm, NULL, NEEDS_JOURNAL, true },
	{ "arm-restore", arm_restore, NULL, NEEDS_JOURNAL, true },
	{ "halt", halt, NULL, NEEDS_JOURNAL, true },
	{ "dump", NULL, dump_start, NEEDS_JOURNAL, true },
	{ "await-dump", await_dump, NULL, NEEDS_JOURNAL, true },
	{ "configure", configure, NULL, NEEDS_JOURNAL, true },
	{ "pause", NULL, halt_pause, NEEDS_JOURNAL, true },
	{ "unpause", NULL, halt_unpause, NEEDS_JOURNAL, true },
	{ "place", place, NULL, NEEDS_JOURNAL, true },
	{ "restore", restore, NULL, NEEDS_JOURNAL, true },
	{ "fence", fence, NULL, NEEDS_JOURNAL, true },
	{ "commit", NULL, switch_commit, NEEDS_JOURNAL, true },
	{ "regain", NULL, switch_regain, NEEDS_JOURNAL, true },
	{ "take-over", take_over, NULL, NEEDS_JOURNAL, true },
	{ "await-memory", NULL, restore_await_memory, NEEDS_JOURNAL, true },
	{ "moved", NULL, switch_note_moved, NEEDS_JOURNAL, true },
	{ "release", NULL, switch_release, NEEDS_JOURNAL, true },
	{ "retire", NULL, switch_retire, NEEDS_JOURNAL, true },
	{ "finish", NULL, switch_finish, NEEDS_LOCK, true },
	{ "undo", NULL, host_undo, NEEDS_JOURNAL, true },
	{ "rollback", NULL, switch_rollback, NEEDS_LOCK, true },
	/* clang-format on */
};

static int check_needs(const struct host *host, const struct operation *operation,
		       struct error *err)
{
	if (operation->needs >= NEEDS_LOCK && host->lock < 0)
		return error_set(err, "the operation '%s' wants the container's lock",
				 operation->name);
	if (operation->needs >= NEEDS_JOURNAL && host->journal.records == NULL)
		return error_set(err, "the operation '%s' wants a migration that was begun",
				 operation->name);
	return 0;
}

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
		if (check_needs(host, &operations[i], err) < 0)
			return -1;
		outcome = failure_point("operation", name, "", err);
		if (outcome == 0)
			outcome = operations[i].act != NULL ? operations[i].act(host, err)
							    : operations[i].run(&call, err);
		if (outcome == 0)
			outcome = failure_point("operation", name, " done", err);
		log_debug("operation %s: %d ms", name, (int)(wait_clock() - started));
		*result = call.result;
		return outcome;
	}
	return error_set(err, "there is no operation '%.40s'", name);
}
