// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for a container's cgroups as directories of a known name. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "system/cgroup_named.h"

#define MOUNTINFO_SIZE_MAX (4 << 20)
#define LIST_SIZE_MAX (4 << 20)

/* A container nests some, its init system included. */
#define DEPTH_MAX 16

/* The cgroup directories of that name: "ID PARENT DEVICE ROOT MOUNT OPTIONS… - TYPE SOURCE OPTIONS". */
static int find_directories(const char *name, struct words *directories, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	char *rest;

	if (!file_path_is_plain(name))
		return error_set(err, "'%s' is no name of a cgroup", name);
	if (file_read("/proc/self/mountinfo", MOUNTINFO_SIZE_MAX, &content, err) < 0)
		return -1;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		CLEANUP(memory_release) char *directory = NULL;
		const char *type = strstr(line, " - cgroup");
		char *fields[5] = { NULL };

		if (type == NULL)
			continue;
		for (size_t i = 0; i < COUNT_OF(fields); i++)
			fields[i] = strsep(&line, " ");
		directory = memory_format("%s%s", fields[4] != NULL ? fields[4] : "", name);
		if (fields[4] != NULL && file_exists(directory))
			words_add(directories, directory);
	}
	return 0;
}

static int count_lines(const char *directory)
{
	CLEANUP(memory_release) char *file = memory_format("%s/cgroup.procs", directory);
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	int count = 0;

	if (file_read(file, LIST_SIZE_MAX, &content, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < content.length; i++)
		count += content.bytes[i] == '\n';
	return count;
}

/* Calls itself for what is below first; removes on the way up when asked to. */
static int walk(const char *directory, bool remove, int depth)
{
	DIR *stream = depth < DEPTH_MAX ? opendir(directory) : NULL;
	const struct dirent *entry;
	int count = 0;

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		CLEANUP(memory_release)
		char *below = memory_format("%s/%s", directory, entry->d_name);

		/* crun has one of its own there that is hidden. */
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			count += walk(below, remove, depth + 1);
	}
	if (stream != NULL)
		closedir(stream);
	if (remove)
		rmdir(directory);
	return count + count_lines(directory);
}

int cgroup_named_count(const char *name, struct error *err)
{
	CLEANUP(words_release) struct words directories = { 0 };
	int count = 0;

	if (find_directories(name, &directories, err) < 0)
		return -1;
	for (size_t i = 0; i < directories.count; i++)
		count += walk(directories.items[i], false, 0);
	return count;
}

int cgroup_named_remove(const char *name, struct error *err)
{
	CLEANUP(words_release) struct words directories = { 0 };
	int left = 0;

	if (find_directories(name, &directories, err) < 0)
		return -1;
	for (size_t i = 0; i < directories.count; i++) {
		if (walk(directories.items[i], false, 0) == 0)
			walk(directories.items[i], true, 0);
		left += file_exists(directories.items[i]);
	}
	return left;
}
