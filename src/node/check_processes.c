// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the check "processes": which there are, and whose they are. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "node/check.h"
#include "node/scan.h"
#include "system/cgroup.h"
#include "system/proc.h"

#define LINK_SIZE 256

/* criu dumps nested ones of the other kinds. */
static const struct {
	const char *file;
	const char *name;
} namespaces[] = {
	{ "ns/pid", "pid" }, { "ns/user", "user" },	{ "ns/uts", "UTS" },
	{ "ns/ipc", "IPC" }, { "ns/cgroup", "cgroup" }, { "ns/time", "time" },
};

void scan_files_add(struct scan_files *files, pid_t pid, int64_t number)
{
	files->items = memory_resize(files->items, files->count + 1, sizeof(*files->items));
	files->items[files->count++] = (struct scan_file){ pid, number };
}

bool scan_files_have(const struct scan_files *files, int64_t number)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].number == number)
			return true;
	return false;
}

/* The service that systemd in the container has started it for: the last of its cgroup's path. */
static char *unit_of(pid_t pid)
{
	static const char suffix[] = ".service";
	CLEANUP(text_release) struct text content = { 0 };
	char *rest;

	proc_read(pid, "cgroup", &content);
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		char *slash = strrchr(line, '/');

		if (slash != NULL && text_ends_with(slash, suffix))
			return memory_format(", unit %.100s", slash + 1);
	}
	return memory_duplicate("");
}

void scan_refuse(struct scan *scan, pid_t pid, const char *format, ...)
{
	CLEANUP(memory_release) char *unit = unit_of(pid);
	char name[PROC_NAME_SIZE];
	char text[800];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	proc_name(pid, name);
	verdict_refuse(scan->verdicts, EXIT_TECHNOLOGIES,
		       "process %d ('%s'%s) of container '%s' %s", (int)pid, name, unit,
		       scan->container->id, text);
}

/* The init's parent is its monitor; any other process whose parent is out here was put in. */
static bool scan_parent(struct scan *scan, pid_t pid)
{
	pid_t parent = proc_parent(pid);
	char name[PROC_NAME_SIZE];
	char theirs[LINK_SIZE];
	char ours[LINK_SIZE];

	if (pid == scan->container->init_pid || parent <= 0 ||
	    !proc_link(getpid(), "ns/pid", ours, sizeof(ours)) ||
	    !proc_link(parent, "ns/pid", theirs, sizeof(theirs)) || strcmp(ours, theirs) != 0)
		return false;
	proc_name(parent, name);
	scan_refuse(scan, pid,
		    "was put into it from outside, by process %d ('%s'), and would be lost: end "
		    "it, or migrate without --online",
		    (int)parent, name);
	return true;
}

static void scan_namespaces(struct scan *scan, pid_t pid)
{
	for (size_t i = 0; i < COUNT_OF(namespaces); i++) {
		char own[LINK_SIZE];
		char inits[LINK_SIZE];

		if (!proc_link(pid, namespaces[i].file, own, sizeof(own)) ||
		    !proc_link(scan->container->init_pid, namespaces[i].file, inits,
			       sizeof(inits)) ||
		    strcmp(own, inits) == 0)
			continue;
		scan_refuse(scan, pid,
			    "is in a nested %s namespace, which criu cannot dump: end it, or "
			    "migrate without --online",
			    namespaces[i].name);
		return;
	}
}

static void scan_process(struct scan *scan, pid_t pid)
{
	if (scan_parent(scan, pid))
		return;
	scan_namespaces(scan, pid);
	scan_descriptors(scan, pid);
	scan_mappings(scan, pid);
	scan_mounts(scan, pid);
}

static void add_pid(pid_t pid, void *data)
{
	struct scan *scan = data;

	scan->pids = memory_resize(scan->pids, scan->count + 1, sizeof(*scan->pids));
	scan->pids[scan->count++] = pid;
}

static void scan_release(struct scan *scan)
{
	free(scan->pids);
	free(scan->sockets.items);
	free(scan->terminals.items);
	free(scan->masters.items);
	words_release(&scan->namespaces);
}

void check_processes(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	CLEANUP(scan_release)
	struct scan scan = { .container = container, .verdicts = verdicts };
	CLEANUP(memory_release) char *freezer = NULL;
	struct error failure = { 0 };

	if (cgroup_find_freezer(container->init_pid, &freezer, &failure) < 0 ||
	    cgroup_visit(freezer, add_pid, &scan, &failure) < 0) {
		verdict_fail(verdicts, &failure, EXIT_TECHNOLOGIES);
		return;
	}
	for (size_t i = 0; i < scan.count; i++)
		scan_process(&scan, scan.pids[i]);
	scan_sockets(&scan);
	scan_terminals(&scan);
}
