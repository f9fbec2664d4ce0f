// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the checks of who is there already: programs, locks, names, directories. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "node/check.h"
#include "node/journal.h"

void check_others_release(struct check_others *others)
{
	for (size_t i = 0; i < others->count; i++)
		container_release(&others->items[i]);
	free(others->items);
	*others = (struct check_others){ 0 };
}

const struct check_others *check_others(const struct check_subject *subject)
{
	const struct runtime *runtime = subject->host->runtime;
	CLEANUP(words_release) struct words ids = { 0 };
	struct check_others *others = subject->others;
	struct error failure;

	if (others->known)
		return others;
	others->known = true;
	if (runtime->list(&ids, &failure) < 0) {
		log_warning("the containers of this node could not be listed: %s", failure.text);
		return others;
	}
	others->items = memory_allocate(ids.count, sizeof(*others->items));
	for (size_t i = 0; i < ids.count; i++) {
		struct container *other = &others->items[others->count];

		if (strcmp(ids.items[i], subject->host->container.id) == 0)
			continue;
		/* One that cannot be described cannot be compared; that is its own trouble. */
		if (runtime->describe(ids.items[i], other, &failure) < 0)
			log_debug("container '%s' is left out of the checks: %s", ids.items[i],
				  failure.text);
		else if (other->id != NULL)
			others->count++;
	}
	return others;
}

char *check_standing_parent(const char *path)
{
	char *parent = file_parent(path);

	while (!file_exists(parent)) {
		char *above = file_parent(parent);

		free(parent);
		parent = above;
	}
	return parent;
}

void check_programs(const struct check_subject *subject, struct verdicts *verdicts)
{
	CLEANUP(memory_release) char *rsync = process_find("rsync");
	const struct runtime *runtime = subject->host->runtime;
	struct error failure = { 0 };

	if (rsync == NULL)
		verdict_refuse(verdicts, EXIT_RUNTIME, "cannot find rsync on PATH: install it");
	if (runtime->usable(false, &failure) < 0) {
		verdict_fail(verdicts, &failure, EXIT_RUNTIME);
		return;
	}
	if (!subject->online || runtime->usable(true, &failure) == 0)
		return;
	verdicts->failing = VERDICT_OFFLINE_ONLY;
	verdict_fail(verdicts, &failure, EXIT_RUNTIME);
}

/* Looks whether the lock is taken, without making it. */
static void look_at_lock(const char *id, struct verdicts *verdicts)
{
	CLEANUP(memory_release) char *key = container_key(id);
	CLEANUP(memory_release) char *path = memory_format("%s/%s.lock", LOCK_DIRECTORY, key);
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char holder[24] = "";
	ssize_t got;

	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
		return;
	got = pread(fd, holder, sizeof(holder) - 1, 0);
	text_printable(holder, sizeof(holder), holder, got > 0 ? strcspn(holder, "\n") : 0);
	verdict_refuse(verdicts, EXIT_LOCKED,
		       "another operation holds container '%s' (process %s): wait until it has "
		       "ended",
		       id, holder);
}

void check_locked(const struct check_subject *subject, struct verdicts *verdicts)
{
	CLEANUP(journal_release) struct journal journal = JOURNAL_NONE;
	const char *id = subject->host->container.id;
	struct error failure = { 0 };
	int found;

	if (subject->host->lock < 0)
		look_at_lock(id, verdicts);
	found = journal_read(&journal, id, &failure);
	if (found < 0)
		verdict_fail(verdicts, &failure, EXIT_LOCKED);
	if (found <= 0 || journal.state == JOURNAL_KEPT)
		return;
	/* With the lock, these were taken back. */
	if (journal.state == JOURNAL_BEGUN || journal.state == JOURNAL_FROZEN)
		verdict_remark(verdicts,
			       "an earlier migration of container '%s' was interrupted; what it "
			       "left is taken back first",
			       id);
	else
		verdict_refuse(verdicts, EXIT_LOCKED,
			       "an earlier migration of container '%s' was interrupted at the "
			       "switch (state '%s' in '%s'): it must be settled first",
			       id, journal_state_name(journal.state), journal.path);
}

void check_exists(const struct check_subject *subject, struct verdicts *verdicts)
{
	struct host *host = subject->host;
	CLEANUP(container_release) struct container there = { 0 };
	struct error failure = { 0 };
	int known = host->runtime->describe(host->container.id, &there, &failure);

	/* One that cannot be described is there all the same, unless the runtime does not answer. */
	if (known < 0 && !file_exists(subject->areas->items[0].final))
		verdict_fail(verdicts, &failure, EXIT_RUNTIME);
	else if (known != 0)
		verdict_refuse(verdicts, EXIT_EXISTS,
			       "container '%s' exists: remove it, or migrate under another id",
			       host->container.id);
	else if (staging_check(host, subject->areas, &failure) < 0)
		verdict_fail(verdicts, &failure, EXIT_EXISTS);
}

void check_hostname(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct check_others *others = check_others(subject);
	const struct container *container = &subject->host->container;

	for (size_t i = 0; i < others->count; i++)
		if (container->hostname != NULL && others->items[i].hostname != NULL &&
		    strcmp(container->hostname, others->items[i].hostname) == 0)
			verdict_refuse(verdicts, EXIT_EXISTS,
				       "the host name '%s' of container '%s' is that of "
				       "container '%s': change one of them, or skip this check",
				       container->hostname, container->id, others->items[i].id);
}

/* Does the new directory lie in one that is another container's? */
static void check_nesting(const char *path, const struct container *other,
			  struct verdicts *verdicts)
{
	if (file_path_below(path, other->private_area) || file_path_below(path, other->directory))
		verdict_refuse(verdicts, EXIT_EXISTS,
			       "'%s' would be inside container '%s': choose another private area",
			       path, other->id);
	else if (file_path_below(other->private_area, path))
		verdict_refuse(verdicts, EXIT_EXISTS,
			       "'%s' would have the private area of container '%s' inside: choose "
			       "another one",
			       path, other->id);
}

static void check_area(const struct check_subject *subject, const struct area *area,
		       struct verdicts *verdicts)
{
	const struct check_others *others = check_others(subject);
	CLEANUP(memory_release) char *parent = check_standing_parent(area->final);
	CLEANUP(memory_release) char *resolved = realpath(parent, NULL);
	CLEANUP(memory_release) char *path = NULL;
	struct statvfs room;

	if (resolved == NULL || statvfs(parent, &room) < 0) {
		verdict_refuse(verdicts, EXIT_COPY, "cannot look at '%s': %s", parent,
			       strerror(errno));
		return;
	}
	if ((room.f_flag & ST_RDONLY) != 0)
		verdict_refuse(verdicts, EXIT_COPY,
			       "'%s' is on a file system that is mounted read-only", parent);
	path = memory_format("%s%s", strcmp(resolved, "/") == 0 ? "" : resolved,
			     area->final + (strcmp(parent, "/") == 0 ? 0 : strlen(parent)));
	for (size_t i = 0; i < others->count; i++)
		check_nesting(path, &others->items[i], verdicts);
}

void check_private_area(const struct check_subject *subject, struct verdicts *verdicts)
{
	for (size_t i = 0; i < subject->areas->count; i++)
		check_area(subject, &subject->areas->items[i], verdicts);
}
