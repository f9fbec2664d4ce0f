// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding the cgroups of a container: where it is frozen, where its CPU time is limited. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "system/cgroup.h"

#define FILE_SIZE_MAX (4 << 20)

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

/* The hierarchy of a controller: its mount. */
struct hierarchy {
	bool unified;	  /* v2 */
	char *mount;	  /* where it is mounted */
	char *mount_root; /* which cgroup is seen there */
};

static void hierarchy_release(struct hierarchy *hierarchy)
{
	free(hierarchy->mount);
	free(hierarchy->mount_root);
	*hierarchy = (struct hierarchy){ 0 };
}

/* One line of mountinfo: "ID PARENT DEVICE ROOT MOUNT OPTIONS… - TYPE SOURCE SUPER-OPTIONS". */
static bool read_mount(char *line, const char *controller, struct hierarchy *hierarchy)
{
	char *tail = strstr(line, " - ");
	char *fields[5];
	char *type;
	char *options;

	if (tail == NULL)
		return false;
	*tail = '\0';
	tail += 3;
	type = strsep(&tail, " ");
	strsep(&tail, " ");
	options = tail != NULL ? tail : line + strlen(line);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if ((fields[i] = strsep(&line, " ")) == NULL)
			return false;
	hierarchy->unified = strcmp(type, "cgroup2") == 0;
	if (!hierarchy->unified && (strcmp(type, "cgroup") != 0 || !has_word(options, controller)))
		return false;
	hierarchy->mount_root = memory_duplicate(fields[3]);
	hierarchy->mount = memory_duplicate(fields[4]);
	return true;
}

/* v1's where it is mounted, else v2. */
static int find_hierarchy(const char *controller, struct hierarchy *hierarchy, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	char *rest;

	if (file_read("/proc/self/mountinfo", FILE_SIZE_MAX, &content, err) < 0)
		return -1;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		CLEANUP(hierarchy_release) struct hierarchy candidate = { 0 };

		if (!read_mount(line, controller, &candidate))
			continue;
		if (hierarchy->mount != NULL && (candidate.unified || !hierarchy->unified))
			continue;
		hierarchy_release(hierarchy);
		*hierarchy = candidate;
		candidate = (struct hierarchy){ 0 };
	}
	return hierarchy->mount != NULL
		       ? 0
		       : error_set(err, "no cgroup hierarchy with '%s' is mounted", controller);
}

/* The cgroup of a process as this process's cgroup namespace shows it: "N:CONTROLLERS:PATH". */
static char *read_path(pid_t pid, const char *controller, bool unified, struct error *err)
{
	CLEANUP(memory_release) char *file = memory_format("/proc/%d/cgroup", (int)pid);
	CLEANUP(text_release) struct text content = { 0 };
	char *rest;

	if (file_read(file, FILE_SIZE_MAX, &content, err) < 0)
		return NULL;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		char *number = strsep(&line, ":");
		char *controllers = strsep(&line, ":");

		if (line == NULL)
			continue;
		if (unified ? strcmp(number, "0") == 0 && *controllers == '\0'
			    : has_word(controllers, controller))
			return memory_duplicate(line);
	}
	error_set(err, "process %d has no cgroup with '%s'", (int)pid, controller);
	return NULL;
}

/*
 * The same as the process itself sees it: "/" at the root of its cgroup namespace. The namespace is
 * only looked through: this process goes back to its own at once.
 */
static char *read_inner_path(pid_t pid, const char *controller, bool unified, struct error *err)
{
	CLEANUP(memory_release) char *file = memory_format("/proc/%d/ns/cgroup", (int)pid);
	CLEANUP(descriptor_close) int own = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	CLEANUP(descriptor_close) int other = open(file, O_RDONLY | O_CLOEXEC);
	char *path;

	if (own < 0 || other < 0 || setns(other, CLONE_NEWCGROUP) < 0) {
		error_system(err, "cannot look into the cgroup namespace of process %d", (int)pid);
		return NULL;
	}
	path = read_path(pid, controller, unified, err);
	if (setns(own, CLONE_NEWCGROUP) < 0) {
		free(path);
		error_system(err, "cannot return from the cgroup namespace of process %d",
			     (int)pid);
		return NULL;
	}
	return path;
}

/* An init that moved itself ("/lxc.payload.101/init.scope") is frozen with its siblings: cut off
 * what it sees itself. */
static int strip_inner(char *path, const char *inner, pid_t pid, struct error *err)
{
	if (strcmp(inner, "/") == 0 || strcmp(inner, path) == 0)
		return 0;
	if (!text_ends_with(path, inner))
		return error_set(err, "process %d is outside the root '%s' of its cgroup namespace",
				 (int)pid, path);
	path[strlen(path) - strlen(inner)] = '\0';
	return 0;
}

bool cgroup_is_unified(void)
{
	/* A hybrid node has v2 elsewhere, without controllers. */
	return file_exists("/sys/fs/cgroup/cgroup.controllers");
}

char *cgroup_of(pid_t pid, struct error *err)
{
	return read_path(pid, "v2", true, err);
}

int cgroup_find(pid_t pid, const char *controller, char **path, struct error *err)
{
	CLEANUP(hierarchy_release) struct hierarchy hierarchy = { 0 };
	CLEANUP(memory_release) char *outer = NULL;
	CLEANUP(memory_release) char *inner = NULL;
	CLEANUP(memory_release) char *found = NULL;
	const char *below;

	if (find_hierarchy(controller, &hierarchy, err) < 0)
		return -1;
	outer = read_path(pid, controller, hierarchy.unified, err);
	inner = outer != NULL ? read_inner_path(pid, controller, hierarchy.unified, err) : NULL;
	if (inner == NULL || strip_inner(outer, inner, pid, err) < 0)
		return -1;
	below = outer;
	if (strcmp(hierarchy.mount_root, "/") != 0 && text_starts_with(outer, hierarchy.mount_root))
		below += strlen(hierarchy.mount_root);
	found = memory_format("%s%s", hierarchy.mount, below);
	if (strcmp(below, "/") == 0 || *below == '\0' || !file_path_is_plain(found))
		return error_set(err, "process %d has no cgroup of its own ('%s')", (int)pid,
				 outer);
	if (!file_exists(found))
		return error_set(err, "cannot find the cgroup '%s' of process %d", found, (int)pid);
	*path = memory_steal(&found);
	return 0;
}

int cgroup_find_freezer(pid_t pid, char **path, struct error *err)
{
	return cgroup_find(pid, "freezer", path, err);
}
