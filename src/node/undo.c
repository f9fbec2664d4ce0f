// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for taking back what was done on a node: the table of inverses, and the walk. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/dump.h"
#include "node/fill.h"
#include "node/restore.h"
#include "node/throttle.h"
#include "node/undo.h"
#include "system/cgroup.h"
#include "system/netns.h"
#include "system/network.h"
#include "system/quota.h"

/* How long, and how often, a tree that something is still written into is tried to be removed. */
#define REMOVE_LIMIT_MS 5000
#define REMOVE_AGAIN_MS 200

const char undo_remove_directory[] = "remove-directory";
const char undo_remove_tree[] = "remove-tree";
const char undo_remove_limited[] = "remove-limited";
const char undo_rename[] = "rename";
const char undo_unmount[] = "unmount";
const char undo_remove_link[] = "remove-link";
const char undo_remove_namespace[] = "remove-namespace";
const char undo_disarm[] = "disarm";
const char undo_resume[] = "resume";
const char undo_unpause[] = "unpause";
const char undo_fill[] = "fill";
const char undo_drop[] = "drop";
const char undo_kill[] = "kill";
const char undo_throttle[] = "throttle";
const char undo_start[] = "start";
const char undo_unfence[] = "unfence";

static int remove_directory(struct host *host, json_object *arguments, struct error *err)
{
	const char *path = json_get_path(arguments, "path", err);

	(void)host;
	if (path == NULL)
		return -1;
	/* Somebody else's things in it: then it is no longer ours alone. */
	if (rmdir(path) < 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
		return error_system(err, "cannot remove directory '%s'", path);
	return 0;
}

/* rsync may still be writing into the tree: its other end is gone, but it has to notice. */
static int remove_tree(struct host *host, json_object *arguments, struct error *err)
{
	const char *path = json_get_path(arguments, "path", err);
	int64_t deadline = wait_clock() + REMOVE_LIMIT_MS;
	int outcome;

	(void)host;
	if (path == NULL)
		return -1;
	wait_shield();
	while ((outcome = file_remove_tree(path, err)) < 0 && wait_clock() < deadline) {
		struct error ignored;

		wait_sleep(REMOVE_AGAIN_MS, &ignored);
	}
	wait_unshield();
	return outcome;
}

static int remove_limited(struct host *host, json_object *arguments, struct error *err)
{
	const char *path = json_get_path(arguments, "path", err);

	(void)host;
	return path == NULL ? -1 : quota_remove(path, err);
}

static int rename_back(struct host *host, json_object *arguments, struct error *err)
{
	const char *from = json_get_path(arguments, "from", err);
	const char *to = json_get_path(arguments, "to", err);

	(void)host;
	if (from == NULL || to == NULL)
		return -1;
	/* Where `to` is still there the renaming never happened, and `from` is not ours. */
	if (file_exists(to) || !file_exists(from))
		return 0;
	return file_rename(from, to, err);
}

static int unmount(struct host *host, json_object *arguments, struct error *err)
{
	const char *path = json_get_path(arguments, "path", err);

	(void)host;
	if (path == NULL)
		return -1;
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return error_system(err, "cannot unmount '%s'", path);
	return 0;
}

static int remove_link(struct host *host, json_object *arguments, struct error *err)
{
	const char *name = json_get_text(arguments, "name", 15, err);

	(void)host;
	if (name == NULL)
		return -1;
	return network_delete(name, err);
}

static int unpause(struct host *host, json_object *arguments, struct error *err)
{
	const char *freezer = json_get_path(arguments, "freezer", err);

	(void)host;
	return freezer == NULL ? -1 : cgroup_thaw(freezer, err);
}

static int remove_namespace(struct host *host, json_object *arguments, struct error *err)
{
	const char *path = json_get_path(arguments, "path", err);

	(void)host;
	return path == NULL ? -1 : netns_delete(path, err);
}

static int start_again(struct host *host, json_object *arguments, struct error *err)
{
	CLEANUP(container_release) struct container now = { 0 };

	(void)arguments;
	if (host->runtime->describe(host->container.id, &now, err) < 0)
		return -1;
	if (now.id != NULL && now.state != CONTAINER_STOPPED)
		return 0;
	return host->runtime->start(&host->container, err);
}

static int unfence(struct host *host, json_object *arguments, struct error *err)
{
	(void)arguments;
	return host->runtime->unfence(&host->container, err);
}

static const struct {
	const char *action;
	int (*run)(struct host *host, json_object *arguments, struct error *err);
} actions[] = {
	{ undo_remove_directory, remove_directory },
	{ undo_remove_tree, remove_tree },
	{ undo_remove_limited, remove_limited },
	{ undo_rename, rename_back },
	{ undo_unmount, unmount },
	{ undo_remove_link, remove_link },
	{ undo_remove_namespace, remove_namespace },
	{ undo_disarm, dump_disarm },
	{ undo_resume, dump_resume },
	{ undo_unpause, unpause },
	{ undo_throttle, throttle_undo },
	{ undo_fill, fill_undo },
	{ undo_drop, restore_drop },
	{ undo_kill, restore_kill },
	{ undo_start, start_again },
	{ undo_unfence, unfence },
};

/* The number of the next undo record: how many there are. */
static int64_t next_number(const struct host *host)
{
	int64_t number = 0;

	for (size_t i = 0; i < json_object_array_length(host->journal.records); i++)
		number += json_find_text(json_object_array_get_idx(host->journal.records, i),
					 "action") != NULL;
	return number;
}

int undo_push(struct host *host, enum undo_scope scope, const char *action, json_object *arguments,
	      struct error *err)
{
	json_object *record = json_object_new_object();

	json_add_text(record, "record", "undo");
	json_add_number(record, "number", next_number(host));
	json_add_text(record, "action", action);
	json_add_number(record, "scope", (int64_t)scope);
	json_object_object_add(record, "arguments", arguments);
	return journal_append(&host->journal, record, err);
}

int undo_push_path(struct host *host, enum undo_scope scope, const char *action, const char *path,
		   struct error *err)
{
	json_object *arguments = json_object_new_object();

	json_add_text(arguments, "path", path);
	return undo_push(host, scope, action, arguments, err);
}

static int note_undone(struct host *host, int64_t number, struct error *err)
{
	json_object *record = json_object_new_object();

	json_add_text(record, "record", "undone");
	json_add_number(record, "number", number);
	return journal_append(&host->journal, record, err);
}

int undo_forget_last(struct host *host, struct error *err)
{
	return note_undone(host, next_number(host) - 1, err);
}

static bool is_undone(const struct host *host, int64_t number)
{
	json_object *records = host->journal.records;

	for (size_t i = 0; i < json_object_array_length(records); i++) {
		json_object *record = json_object_array_get_idx(records, i);
		const char *kind = json_find_text(record, "record");
		struct error ignored;
		int64_t found;

		if (kind != NULL && strcmp(kind, "undone") == 0 &&
		    json_get_number(record, "number", 0, INT64_MAX, &found, &ignored) == 0 &&
		    found == number)
			return true;
	}
	return false;
}

json_object *undo_find(const struct journal *journal, const char *action)
{
	for (size_t i = json_object_array_length(journal->records); i-- > 0;) {
		json_object *record = json_object_array_get_idx(journal->records, i);
		const char *found = json_find_text(record, "action");
		struct error ignored;

		if (found != NULL && strcmp(found, action) == 0)
			return json_get_object(record, "arguments", &ignored);
	}
	return NULL;
}

static int run_action(struct host *host, json_object *record, struct error *err)
{
	const char *action = json_find_text(record, "action");
	json_object *arguments = json_get_object(record, "arguments", err);

	if (arguments == NULL)
		return -1;
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (strcmp(action, actions[i].action) == 0) {
			log_debug(
				"undo: %s %s", action,
				json_object_to_json_string_ext(arguments, JSON_C_TO_STRING_PLAIN));
			return actions[i].run(host, arguments, err);
		}
	return error_set(err, "the journal names the unknown act '%s'", action);
}

int undo_run(struct host *host, unsigned int scopes, struct error *err)
{
	/* What is appended on the way ("undone") is not to be walked. */
	size_t count = json_object_array_length(host->journal.records);
	int result = 0;

	wait_shield();
	for (size_t i = count; i-- > 0;) {
		json_object *record = json_object_array_get_idx(host->journal.records, i);
		struct error failure;
		int64_t number;
		int64_t scope;

		if (json_find_text(record, "action") == NULL ||
		    json_get_number(record, "number", 0, INT64_MAX, &number, &failure) < 0 ||
		    json_get_number(record, "scope", 0, UNDO_TEMPORARY, &scope, &failure) < 0 ||
		    (scopes & (1U << scope)) == 0 || is_undone(host, number))
			continue;
		if (run_action(host, record, &failure) < 0 ||
		    note_undone(host, number, &failure) < 0) {
			log_warning("%s", failure.text);
			if (result == 0)
				*err = failure;
			result = -1;
		}
	}
	wait_unshield();
	return result;
}
