// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding which files a process could be writing to. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "system/open_files.h"

static void add(struct open_files *files, const char *link, const struct stat *status, bool mapped)
{
	struct {
		dev_t device;
		ino_t inode;
	} key = { status->st_dev, status->st_ino };
	struct table_entry *entry;
	char path[PATH_MAX];
	ssize_t length;

	/* A deleted one travels in criu's images. */
	if (!S_ISREG(status->st_mode) || status->st_nlink == 0)
		return;
	entry = table_add(&files->known, &key, sizeof(key));
	if (entry->number > 0) {
		files->items[entry->number - 1].mapped |= mapped;
		return;
	}
	length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = '\0';
	files->items = memory_resize(files->items, files->count + 1, sizeof(*files->items));
	files->items[files->count++] = (struct open_file){
		.status = *status,
		.mapped = mapped,
		.path = memory_duplicate(path),
	};
	entry->number = files->count;
}

static void add_descriptors(struct open_files *files, pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/fd", (int)pid);
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		CLEANUP(memory_release) char *link = memory_format("%s/%s", path, entry->d_name);
		struct stat how;
		struct stat status;

		/* The link's own mode says what the descriptor is open for. */
		if (entry->d_name[0] != '.' && lstat(link, &how) == 0 &&
		    (how.st_mode & S_IWUSR) != 0 && stat(link, &status) == 0)
			add(files, link, &status, false);
	}
	closedir(directory);
}

/* A line of maps: "BEGIN-END PERMISSIONS OFFSET DEVICE INODE PATH". */
static void add_mapping(struct open_files *files, pid_t pid, const char *line)
{
	CLEANUP(memory_release) char *link = NULL;
	unsigned long inode;
	struct stat status;
	char permissions[8];
	char range[64];

	if (sscanf(line, "%63s %7s %*s %*s %lu", range, permissions, &inode) != 3 || inode == 0 ||
	    permissions[1] != 'w' || permissions[3] != 's')
		return;
	link = memory_format("/proc/%d/map_files/%s", (int)pid, range);
	if (stat(link, &status) == 0)
		add(files, link, &status, true);
}

static void add_mappings(struct open_files *files, pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	size_t capacity = 0;
	char *line = NULL;

	if (maps == NULL)
		return;
	while (getline(&line, &capacity, maps) > 0)
		add_mapping(files, pid, line);
	free(line);
	fclose(maps);
}

void open_files_add(struct open_files *files, pid_t pid)
{
	add_descriptors(files, pid);
	add_mappings(files, pid);
}

void open_files_release(struct open_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->items[i].path);
	free(files->items);
	table_release(&files->known);
	*files = (struct open_files){ 0 };
}
