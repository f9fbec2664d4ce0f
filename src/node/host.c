// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for a node's part in a migration as a whole: lock, begin, finish, rollback. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "node/boot.h"
#include "node/host.h"
#include "node/undo.h"
#include "node/watch.h"

char *host_run_directory(const char *id)
{
	CLEANUP(memory_release) char *key = container_key(id);

	return memory_format("%s/%s", RUN_DIRECTORY, key);
}

/* Nothing of it stays: the directory goes with the last one. */
static void unlock(struct host *host)
{
	CLEANUP(memory_release) char *link = memory_format("/proc/self/fd/%d", host->lock);
	char path[PATH_MAX];
	ssize_t length;

	if (host->lock < 0)
		return;
	length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = '\0';
	if (length > 0 && file_is_named(host->lock, path) && unlink(path) == 0)
		rmdir(LOCK_DIRECTORY);
	descriptor_close(&host->lock);
}

void host_release(struct host *host)
{
	descriptor_close(&host->hook);
	descriptor_close(&host->hook_listener);
	descriptor_close(&host->frames);
	process_release(&host->checkpoint);
	process_release(&host->sync);
	watch_end(host);
	journal_release(&host->journal);
	container_release(&host->container);
	words_release(&host->kept);
	free(host->run_directory);
	free(host->images);
	free(host->memory);
	free(host->freezer);
	unlock(host);
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

/* A lock is removed by who holds it, and the directory with it: then this one was taken too late, and
 * there may be another. */
static int open_locked(const char *path)
{
	for (;;) {
		CLEANUP(descriptor_close)
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		struct error ignored;

		if (fd < 0 && errno == ENOENT &&
		    make_directories(LOCK_DIRECTORY, 0700, &ignored) == 0)
			continue;
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -1;
		if (file_is_named(fd, path))
			return descriptor_steal(&fd);
	}
}

static void read_holder(const char *path, char *holder, size_t size)
{
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = fd >= 0 ? pread(fd, holder, size - 1, 0) : 0;

	text_printable(holder, size, holder, got > 0 ? strcspn(holder, "\n") : 0);
}

int host_lock(struct host *host, const char *id, struct error *err)
{
	CLEANUP(memory_release) char *key = container_key(id);
	CLEANUP(memory_release) char *path = memory_format("%s/%s.lock", LOCK_DIRECTORY, key);
	CLEANUP(descriptor_close) int fd = -1;
	char holder[24] = "";

	if (host->lock >= 0)
		return 0;
	fd = open_locked(path);
	if (fd < 0 && errno != EWOULDBLOCK)
		return error_system(err, "cannot open the lock '%s'", path);
	if (fd < 0) {
		read_holder(path, holder, sizeof(holder));
		return error_exit(err, EXIT_LOCKED,
				  "another operation holds container '%s' (process %s)", id,
				  holder);
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return error_system(err, "cannot write the lock '%s'", path);
	host->lock = descriptor_steal(&fd);
	return 0;
}

/* What the lock did not settle: only kept files are in nobody's way. */
static int judge_earlier(struct host *host, const char *id, struct error *err)
{
	int found = journal_load(&host->journal, id, err);

	if (found <= 0)
		return found;
	if (host->journal.state == JOURNAL_KEPT)
		return journal_remove(&host->journal, err);
	journal_release(&host->journal);
	return error_exit(err, EXIT_LOCKED,
			  "another migration of container '%s' has just begun on this node", id);
}

int host_begin(struct host *host, json_object *header, struct error *err)
{
	const char *id = host->container.id;

	boot_note(header);
	if (judge_earlier(host, id, err) < 0 || journal_create(&host->journal, id, header, err) < 0)
		return -1;
	free(host->run_directory);
	host->run_directory = host_run_directory(id);
	/* Searchable: the root of a user namespace must reach the images below. */
	if (make_directories(RUN_DIRECTORY, 0711, err) < 0 ||
	    undo_push_path(host, UNDO_TEMPORARY, undo_remove_directory, RUN_DIRECTORY, err) < 0 ||
	    undo_push_path(host, UNDO_TEMPORARY, undo_remove_tree, host->run_directory, err) < 0 ||
	    file_remove_tree(host->run_directory, err) < 0 ||
	    file_make_directory(host->run_directory, 0711, err) < 0)
		return -1;
	return 0;
}

bool host_is_destination(const struct host *host)
{
	const char *role = json_find_text(journal_header(&host->journal), "role");

	return role != NULL && strcmp(role, "destination") == 0;
}

int host_undo(struct host *host, struct error *err)
{
	unsigned int scopes = 1U << UNDO_FAILURE | 1U << UNDO_TEMPORARY;

	if (!host->keep)
		scopes |= 1U << UNDO_STAGING;
	if (undo_run(host, scopes, err) < 0)
		return error_context(err, "container '%s': not everything was put back",
				     host->container.id);
	return 0;
}

int host_close_journal(struct host *host, struct error *err)
{
	if (host->keep)
		return journal_set_state(&host->journal, JOURNAL_KEPT, err);
	return journal_remove(&host->journal, err);
}

int host_rollback(struct host *host, struct error *err)
{
	if (host->journal.records == NULL)
		return 0;
	return host_undo(host, err) < 0 ? -1 : host_close_journal(host, err);
}

int host_finish(struct host *host, struct error *err)
{
	if (host->journal.records == NULL)
		return 0;
	if (undo_run(host, 1U << UNDO_TEMPORARY, err) < 0)
		return -1;
	return journal_remove(&host->journal, err);
}
