/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files processes could be writing to: open for writing, or mapped shared and writable. Found in
 * /proc, whatever mount namespace they are in.
 */
#ifndef SYSTEM_OPEN_FILES_H
#define SYSTEM_OPEN_FILES_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/table.h"

struct open_file {
	struct stat status;
	bool mapped; /* its content may change without its time of modification */
	char *path;  /* as its process sees it, or so: compare the inode */
};

struct open_files {
	struct open_file *items;
	size_t count;
	struct table known; /* device and inode -> index + 1 */
};

/* Adds those of one process; one that has gone has none. */
void open_files_add(struct open_files *files, pid_t pid);
void open_files_release(struct open_files *files);

#endif
