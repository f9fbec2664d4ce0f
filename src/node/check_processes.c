// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding processes that are in a container but not of its tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "node/check.h"
#include "system/cgroup.h"

#define STAT_LIMIT 4096
#define NAME_SIZE 32

struct search {
	pid_t init_pid;
	char namespace[NAME_SIZE]; /* this node's pid namespace */
	pid_t outsider;		   /* found, or 0 */
	pid_t parent;
};

/* "pid:[4026531836]"; empty when the process is gone. */
static void read_namespace(pid_t pid, char name[NAME_SIZE])
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/ns/pid", (int)pid);
	ssize_t length = readlink(path, name, NAME_SIZE - 1);

	name[length > 0 ? length : 0] = '\0';
}

/* /proc/PID/stat: "PID (name) state PPID …"; the name may have blanks and parentheses. */
static pid_t read_parent(pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/stat", (int)pid);
	CLEANUP(text_release) struct text stat = { 0 };
	struct error ignored;
	const char *end;
	int parent = 0;

	if (file_read(path, STAT_LIMIT, &stat, &ignored) < 0)
		return 0;
	end = strrchr(text_string(&stat), ')');
	if (end == NULL || sscanf(end + 1, " %*c %d", &parent) != 1)
		return 0;
	return (pid_t)parent;
}

static void read_name(pid_t pid, char name[NAME_SIZE])
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/comm", (int)pid);
	CLEANUP(text_release) struct text comm = { 0 };
	struct error ignored;

	file_read(path, STAT_LIMIT, &comm, &ignored);
	text_printable(name, NAME_SIZE, text_string(&comm), strcspn(text_string(&comm), "\n"));
}

/* The init's parent is its monitor; any other process whose parent is out here was put in. */
static void look_at(pid_t pid, void *data)
{
	struct search *search = data;
	char namespace[NAME_SIZE];
	pid_t parent;

	if (search->outsider != 0 || pid == search->init_pid)
		return;
	parent = read_parent(pid);
	read_namespace(parent, namespace);
	if (parent > 0 && strcmp(namespace, search->namespace) == 0) {
		search->outsider = pid;
		search->parent = parent;
	}
}

int check_processes(const struct container *container, struct error *err)
{
	CLEANUP(memory_release) char *freezer = NULL;
	struct search search = { .init_pid = container->init_pid };
	char name[NAME_SIZE];
	char parent[NAME_SIZE];

	if (container->state != CONTAINER_RUNNING)
		return 0;
	read_namespace(getpid(), search.namespace);
	if (cgroup_find_freezer(container->init_pid, &freezer, err) < 0 ||
	    cgroup_visit(freezer, look_at, &search, err) < 0)
		return -1;
	if (search.outsider == 0)
		return 0;
	read_name(search.outsider, name);
	read_name(search.parent, parent);
	return error_exit(
		err, EXIT_TECHNOLOGIES,
		"process %d ('%s') of container '%s' was put into it from outside, by process "
		"%d ('%s'), and would be lost: end it, or migrate without --online",
		(int)search.outsider, name, container->id, (int)search.parent, parent);
}
