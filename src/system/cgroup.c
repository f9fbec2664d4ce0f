// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for freezing, thawing and killing the processes of a cgroup. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/cgroup.h"
#include "system/proc.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* The kernel freezes in microseconds unless a process sleeps uninterruptibly. */
#define POLL_INTERVAL_MS 1

/* Processes that fork while they are killed are found in the next pass. */
#define KILL_PASSES 100
#define DEPTH_MAX 32
#define LIST_SIZE_MAX (4 << 20)

enum freezer { FREEZER_GONE, FREEZER_V1, FREEZER_V2 };

static bool has_file(const char *path, const char *name)
{
	CLEANUP(memory_release) char *file = memory_format("%s/%s", path, name);

	return file_exists(file);
}

/* Where a hierarchy is mounted: all of the node's processes are there, this one too. */
static bool is_mount_root(const char *path)
{
	CLEANUP(memory_release) char *parent = file_parent(path);
	struct stat own;
	struct stat above;

	return stat(path, &own) == 0 && stat(parent, &above) == 0 && own.st_dev != above.st_dev;
}

static int find_kind(const char *path, enum freezer *kind, struct error *err)
{
	if (!file_path_is_plain(path) || !text_starts_with(path, CGROUP_ROOT "/") ||
	    is_mount_root(path))
		return error_set(err, "'%s' is no cgroup of a container", path);
	*kind = FREEZER_GONE;
	if (has_file(path, "freezer.state"))
		*kind = FREEZER_V1;
	else if (has_file(path, "cgroup.freeze"))
		*kind = FREEZER_V2;
	else if (file_exists(path))
		return error_set(err, "the cgroup '%s' has no freezer", path);
	return 0;
}

static int write_value(const char *path, const char *name, const char *value)
{
	CLEANUP(memory_release) char *file = memory_format("%s/%s", path, name);
	struct error ignored;

	return file_put(file, value, &ignored);
}

static bool is_frozen(const char *path, enum freezer kind)
{
	CLEANUP(memory_release)
	char *file = memory_format("%s/%s", path,
				   kind == FREEZER_V1 ? "freezer.state" : "cgroup.events");
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;

	if (file_read(file, 4096, &content, &ignored) < 0)
		return false;
	if (kind == FREEZER_V1)
		return text_starts_with(text_string(&content), "FROZEN");
	return strstr(text_string(&content), "frozen 1") != NULL;
}

static int write_freezer(const char *path, enum freezer kind, bool frozen)
{
	if (kind == FREEZER_V1)
		return write_value(path, "freezer.state", frozen ? "FROZEN" : "THAWED");
	return write_value(path, "cgroup.freeze", frozen ? "1" : "0");
}

static void visit_file(const char *file, cgroup_visitor *visit, void *data)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	char *rest;

	if (file_read(file, LIST_SIZE_MAX, &content, &ignored) < 0)
		return;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		if (atoi(line) > 1 && atoi(line) != (int)getpid())
			visit((pid_t)atoi(line), data);
}

static void visit_processes(const char *path, cgroup_visitor *visit, void *data, int depth)
{
	CLEANUP(memory_release) char *file = memory_format("%s/cgroup.procs", path);
	struct dirent *entry;
	DIR *directory;

	visit_file(file, visit, data);
	directory = depth < DEPTH_MAX ? opendir(path) : NULL;
	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		CLEANUP(memory_release) char *below = memory_format("%s/%s", path, entry->d_name);

		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			visit_processes(below, visit, data, depth + 1);
	}
	closedir(directory);
}

/* Keeps the first process that sleeps uninterruptibly. */
static void find_sleeper(pid_t pid, void *data)
{
	CLEANUP(text_release) struct text stat = { 0 };

	if (*(pid_t *)data == 0 && proc_read(pid, "stat", &stat) && proc_state(&stat) == 'D')
		*(pid_t *)data = pid;
}

static int freeze_failure(const char *path, int timeout_ms, struct error *err)
{
	CLEANUP(memory_release) char *file = NULL;
	CLEANUP(text_release) struct text where = { 0 };
	struct error ignored;
	pid_t sleeper = 0;

	visit_processes(path, find_sleeper, &sleeper, 0);
	if (sleeper == 0)
		return error_set(err, "the processes of '%s' could not be frozen within %d ms",
				 path, timeout_ms);
	file = memory_format("/proc/%d/wchan", (int)sleeper);
	if (file_read(file, 256, &where, &ignored) < 0)
		text_clear(&where);
	return error_set(err,
			 "the processes of '%s' could not be frozen within %d ms: process %d waits "
			 "uninterruptibly%s%s",
			 path, timeout_ms, (int)sleeper, where.length > 1 ? " in " : "",
			 where.length > 1 ? text_string(&where) : "");
}

int cgroup_freeze(const char *path, int timeout_ms, struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;
	enum freezer kind;

	if (find_kind(path, &kind, err) < 0)
		return -1;
	if (kind == FREEZER_GONE)
		return error_set(err, "the cgroup '%s' is gone", path);
	if (write_freezer(path, kind, true) < 0)
		return error_system(err, "cannot freeze '%s'", path);
	while (!is_frozen(path, kind)) {
		if (wait_clock() >= deadline) {
			freeze_failure(path, timeout_ms, err);
			write_freezer(path, kind, false);
			return -1;
		}
		if (wait_sleep(POLL_INTERVAL_MS, err) < 0) {
			write_freezer(path, kind, false);
			return -1;
		}
	}
	return 0;
}

int cgroup_thaw(const char *path, struct error *err)
{
	enum freezer kind;

	if (find_kind(path, &kind, err) < 0)
		return -1;
	if (kind == FREEZER_GONE || write_freezer(path, kind, false) == 0 || !file_exists(path))
		return 0;
	return error_system(err, "cannot thaw '%s'", path);
}

static void kill_process(pid_t pid, void *data)
{
	if (kill(pid, SIGKILL) == 0)
		(*(size_t *)data)++;
}

int cgroup_visit(const char *path, cgroup_visitor *visit, void *data, struct error *err)
{
	enum freezer kind;

	if (find_kind(path, &kind, err) < 0)
		return -1;
	visit_processes(path, visit, data, 0);
	return 0;
}

int cgroup_kill(const char *path, struct error *err)
{
	enum freezer kind;

	if (find_kind(path, &kind, err) < 0)
		return -1;
	if (kind == FREEZER_GONE)
		return 0;
	if (kind == FREEZER_V2 && write_value(path, "cgroup.kill", "1") == 0)
		return 0;
	for (int pass = 0; pass < KILL_PASSES; pass++) {
		size_t count = 0;

		visit_processes(path, kill_process, &count, 0);
		/* Frozen ones fork no more, and stay in the list until they are thawed. */
		if (count == 0 || is_frozen(path, kind))
			return 0;
		if (wait_sleep(POLL_INTERVAL_MS, err) < 0)
			return -1;
	}
	return error_set(err, "the processes of '%s' fork faster than they can be killed", path);
}
