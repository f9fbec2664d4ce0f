// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for taking up what an earlier process left on this node. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "node/adopt.h"
#include "node/boot.h"
#include "node/check.h"
#include "node/hook.h"
#include "node/undo.h"
#include "system/processes.h"

/* How long an orphaned hook may take to find that somebody listens again. */
#define HOOK_RETURN_MS 3000

/* The staging directories that a kept journal names: paths of its pending acts of that scope. */
static void collect_kept(struct host *host)
{
	json_object *records = host->journal.records;

	for (size_t i = 0; i < json_object_array_length(records); i++) {
		json_object *record = json_object_array_get_idx(records, i);
		json_object *arguments = NULL;
		struct error ignored;
		const char *path;
		int64_t scope;

		if (json_get_number(record, "scope", 0, UNDO_TEMPORARY, &scope, &ignored) < 0 ||
		    scope != UNDO_STAGING)
			continue;
		arguments = json_get_object(record, "arguments", &ignored);
		path = arguments != NULL ? json_get_path(arguments, "path", &ignored) : NULL;
		if (path != NULL)
			words_add(&host->kept, path);
	}
}

int adopt_find_kept(struct host *host, const char *id, const char *origin, struct error *err)
{
	int found = journal_read(&host->journal, id, err);
	const char *kept =
		found > 0 ? json_find_text(journal_header(&host->journal), "origin") : NULL;

	if (found > 0 && host->journal.state == JOURNAL_KEPT && kept != NULL && origin != NULL &&
	    strcmp(kept, origin) == 0)
		collect_kept(host);
	journal_release(&host->journal);
	return found < 0 ? -1 : 0;
}

static int take_container(struct host *host, struct error *err)
{
	json_object *header = journal_header(&host->journal);
	json_object *object = json_get_object(header, "container", err);

	container_release(&host->container);
	if (object == NULL || container_from_json(&host->container, object, err) < 0)
		return -1;
	host->runtime = runtime_by_name(host->container.runtime);
	if (host->runtime == NULL)
		return error_set(err, "the journal names the unknown runtime '%s'",
				 host->container.runtime);
	host->keep = json_find_flag(header, "keep");
	free(host->run_directory);
	host->run_directory = host_run_directory(host->container.id);
	free(host->images);
	host->images = memory_format("%s/images", host->run_directory);
	free(host->freezer);
	host->freezer = NULL;
	object = undo_find(&host->journal, undo_resume);
	if (object != NULL && json_get_path(object, "freezer", err) == NULL)
		return -1;
	if (object != NULL)
		host->freezer = memory_duplicate(json_get_path(object, "freezer", err));
	return 0;
}

/* Was the container this node's, and running, before the node went down? */
static bool ran_before_power_loss(const struct host *host)
{
	json_object *header = journal_header(&host->journal);
	const char *role = json_find_text(header, "role");

	if (role == NULL || boot_is_same(header))
		return false;
	if (strcmp(role, "destination") == 0)
		return host->journal.state == JOURNAL_RUNNING;
	return host->container.state != CONTAINER_STOPPED &&
	       (host->journal.state == JOURNAL_BEGUN || host->journal.state == JOURNAL_FROZEN);
}

static int restart_after_power_loss(struct host *host, struct error *err)
{
	if (!ran_before_power_loss(host))
		return 0;
	return check_start_if_ended(host, "was running when this node went down", err);
}

static int take_back(struct host *host, bool keep_journal, struct error *err)
{
	if (host_undo(host, err) < 0 || restart_after_power_loss(host, err) < 0)
		return -1;
	return keep_journal ? 0 : host_close_journal(host, err);
}

/* The journal is not this migration's: nothing of it may be rolled back. */
static int refuse_unsettled(struct host *host, const char *id, struct error *err)
{
	error_exit(err, EXIT_LOCKED,
		   "an earlier migration of container '%s' was interrupted at the switch (state "
		   "'%s' in '%s'): run 'vzmigrate --recover %s' on this node or on its peer",
		   id, journal_state_name(host->journal.state), host->journal.path, id);
	journal_release(&host->journal);
	return -1;
}

static char *migration_name(const struct host *host)
{
	const char *name = json_find_text(journal_header(&host->journal), "migration");

	return memory_duplicate(name != NULL ? name : "");
}

/* The hook that waits for whoever began this; after a crash of the node there is none. */
static int listen_again(struct host *host, struct error *err)
{
	bool dump =
		host->journal.state == JOURNAL_COMMITTED || host->journal.state == JOURNAL_MOVED;
	struct error ignored;
	int status;

	if (!processes_name(host->run_directory, NULL))
		return 0;
	if (hook_listen(host, err) < 0)
		return -1;
	hook_wait(host, dump ? HOOK_POST_DUMP : HOOK_POST_RESTORE, HOOK_RETURN_MS, &status,
		  &ignored);
	return 0;
}

int adopt_settle(struct host *host, const char *id, const char *given_up, char **name,
		 struct error *err)
{
	int found = journal_load(&host->journal, id, err);
	CLEANUP(memory_release) char *own = NULL;
	enum journal_state state = host->journal.state;

	if (found <= 0)
		return found;
	own = migration_name(host);
	if (state == JOURNAL_KEPT) {
		/* In nobody's way: begin uses what it can. */
		journal_release(&host->journal);
		return 0;
	}
	if (state != JOURNAL_BEGUN && state != JOURNAL_FROZEN &&
	    (state != JOURNAL_HELD || given_up == NULL || strcmp(own, given_up) != 0))
		return refuse_unsettled(host, id, err);
	log_warning("container '%s': an earlier migration was interrupted; taking back what it "
		    "left",
		    id);
	/* What is held waits to be told; before that, a hook that nobody answers refuses by itself. */
	if (take_container(host, err) < 0 ||
	    (state == JOURNAL_HELD && listen_again(host, err) < 0) ||
	    take_back(host, false, err) < 0)
		return -1;
	if (name != NULL)
		*name = memory_steal(&own);
	return 0;
}

int adopt_migration(struct host *host, const char *id, const char *name, bool keep_journal,
		    struct error *err)
{
	int found = journal_load(&host->journal, id, err);
	CLEANUP(memory_release) char *own = NULL;

	if (found <= 0)
		return found;
	own = migration_name(host);
	if (name != NULL && strcmp(name, own) != 0) {
		/* Another migration's: nothing is left of the one that is asked for. */
		journal_release(&host->journal);
		return 0;
	}
	if (take_container(host, err) < 0)
		return -1;
	switch (host->journal.state) {
	case JOURNAL_KEPT:
		return 0;
	case JOURNAL_BEGUN:
	case JOURNAL_FROZEN:
		return take_back(host, keep_journal, err);
	default:
		return listen_again(host, err) < 0 ? -1 : restart_after_power_loss(host, err);
	}
}
