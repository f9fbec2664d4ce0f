// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for a node's part in a migration as a whole: lock, begin, finish, rollback. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "node/hook.h"
#include "node/host.h"
#include "node/undo.h"

void host_release(struct host *host)
{
	descriptor_close(&host->hook);
	descriptor_close(&host->hook_listener);
	process_release(&host->checkpoint);
	journal_release(&host->journal);
	container_release(&host->container);
	words_release(&host->kept);
	free(host->run_directory);
	free(host->images);
	free(host->freezer);
	descriptor_close(&host->lock);
	*host = (struct host)HOST_NONE;
}

/* Makes the directory and those above it. */
static int make_directories(const char *path, mode_t mode, struct error *err)
{
	CLEANUP(memory_release) char *parent = file_parent(path);

	if (!file_exists(parent) && make_directories(parent, 0755, err) < 0)
		return -1;
	return file_make_directory(path, mode, err) < 0 ? -1 : 0;
}

int host_lock(struct host *host, const char *id, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s.lock", LOCK_DIRECTORY, id);
	CLEANUP(descriptor_close) int fd = -1;
	char holder[24] = "";

	if (make_directories(LOCK_DIRECTORY, 0700, err) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_system(err, "cannot open the lock '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ssize_t got = pread(fd, holder, sizeof(holder) - 1, 0);

		text_printable(holder, sizeof(holder), holder, got > 0 ? strcspn(holder, "\n") : 0);
		return error_exit(err, EXIT_LOCKED,
				  "another operation holds container '%s' (process %s)", id,
				  holder);
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return error_system(err, "cannot write the lock '%s'", path);
	host->lock = descriptor_steal(&fd);
	return 0;
}

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

int host_find_kept(struct host *host, const char *id, struct error *err)
{
	int found = journal_load(&host->journal, id, err);

	if (found > 0 && host->journal.state == JOURNAL_KEPT)
		collect_kept(host);
	journal_release(&host->journal);
	return found < 0 ? -1 : 0;
}

/* How long an orphaned hook may take to find that somebody listens again. */
#define HOOK_RETURN_MS 3000

static int adopt_container(struct host *host, struct error *err)
{
	json_object *object = json_get_object(journal_header(&host->journal), "container", err);

	container_release(&host->container);
	if (object == NULL || container_from_json(&host->container, object, err) < 0)
		return -1;
	host->runtime = runtime_by_name(host->container.runtime);
	if (host->runtime == NULL)
		return error_set(err, "the journal names the unknown runtime '%s'",
				 host->container.runtime);
	host->keep = json_find_flag(journal_header(&host->journal), "keep");
	return 0;
}

/* The journal is not this migration's: nothing of it may be rolled back. */
static int refuse_unsettled(struct host *host, const char *id, struct error *err)
{
	error_exit(err, EXIT_LOCKED,
		   "an earlier migration of container '%s' was interrupted at the switch (state "
		   "'%s' in '%s'): it must be settled first",
		   id, journal_state_name(host->journal.state), host->journal.path);
	journal_release(&host->journal);
	return -1;
}

int host_settle(struct host *host, const char *id, struct error *err)
{
	int found = journal_load(&host->journal, id, err);

	if (found <= 0)
		return found;
	if (host->journal.state == JOURNAL_BEGUN || host->journal.state == JOURNAL_FROZEN) {
		log_warning("container '%s': an earlier migration was interrupted; taking back "
			    "what it left",
			    id);
		if (adopt_container(host, err) < 0 || host_rollback(host, err) < 0)
			return -1;
	}
	/* Fenced, it would look as if it did not exist. */
	if (host->journal.state == JOURNAL_COMMITTED)
		return refuse_unsettled(host, id, err);
	/* The other states are for begin and adopt to judge. */
	journal_release(&host->journal);
	return 0;
}

int host_adopt(struct host *host, const char *id, struct error *err)
{
	int found = journal_load(&host->journal, id, err);
	struct error ignored;
	int status;

	if (found <= 0)
		return found;
	if (host->journal.state == JOURNAL_KEPT || host->journal.state == JOURNAL_BEGUN) {
		/* The agent before has taken back what it did: the lock settled the rest. */
		journal_release(&host->journal);
		return 0;
	}
	if (adopt_container(host, err) < 0)
		return -1;
	host->run_directory = memory_format("%s/%s", RUN_DIRECTORY, id);
	host->images = memory_format("%s/images", host->run_directory);
	if (host->journal.state != JOURNAL_HELD && host->journal.state != JOURNAL_TOLD)
		return 1;
	if (hook_listen(host, err) < 0)
		return -1;
	hook_wait(host, HOOK_POST_RESTORE, HOOK_RETURN_MS, &status, &ignored);
	return 1;
}

/* What the lock did not settle: only kept files are in nobody's way. */
static int judge_earlier(struct host *host, const char *id, struct error *err)
{
	int found = journal_load(&host->journal, id, err);

	if (found <= 0)
		return found;
	if (host->journal.state == JOURNAL_KEPT)
		return journal_remove(&host->journal, err);
	return refuse_unsettled(host, id, err);
}

int host_begin(struct host *host, json_object *header, struct error *err)
{
	const char *id = host->container.id;

	if (judge_earlier(host, id, err) < 0 || journal_create(&host->journal, id, header, err) < 0)
		return -1;
	free(host->run_directory);
	host->run_directory = memory_format("%s/%s", RUN_DIRECTORY, id);
	/* Searchable: the root of a user namespace must reach the images below. */
	if (make_directories(RUN_DIRECTORY, 0711, err) < 0 ||
	    undo_push_path(host, UNDO_TEMPORARY, undo_remove_directory, RUN_DIRECTORY, err) < 0 ||
	    undo_push_path(host, UNDO_TEMPORARY, undo_remove_tree, host->run_directory, err) < 0 ||
	    file_remove_tree(host->run_directory, err) < 0 ||
	    file_make_directory(host->run_directory, 0711, err) < 0)
		return -1;
	return 0;
}

int host_rollback(struct host *host, struct error *err)
{
	unsigned int scopes = 1U << UNDO_FAILURE | 1U << UNDO_TEMPORARY;

	if (host->journal.records == NULL)
		return 0;
	if (!host->keep)
		scopes |= 1U << UNDO_STAGING;
	if (undo_run(host, scopes, err) < 0)
		return error_context(err, "container '%s': not everything was put back",
				     host->container.id);
	if (host->keep)
		return journal_set_state(&host->journal, JOURNAL_KEPT, err);
	return journal_remove(&host->journal, err);
}

int host_finish(struct host *host, struct error *err)
{
	if (host->journal.records == NULL)
		return 0;
	if (undo_run(host, 1U << UNDO_TEMPORARY, err) < 0)
		return -1;
	return journal_remove(&host->journal, err);
}
