/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording which paths below some directories change, by fanotify: the kernel reports each change of
 * the whole file system, those of other directories are dropped. What it does not report: writes
 * through shared mappings (system/open_files.h).
 *
 * The record lives in this process and ends with it: nothing has to be taken back.
 */
#ifndef SYSTEM_PATH_WATCH_H
#define SYSTEM_PATH_WATCH_H

#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/error.h"
#include "base/table.h"
#include "system/path_changes.h"

#define PATH_WATCH_ROOTS 2

struct watched_root {
	int fd;	    /* of the directory */
	char *path; /* where the kernel says that it is */
	fsid_t file_system;
	struct path_changes changes;
};

/* Start from PATH_WATCH_NONE. */
struct path_watch {
	int fd; /* -1: nothing is recorded */
	int watch;
	struct watched_root roots[PATH_WATCH_ROOTS];
	size_t count;
	struct table strangers; /* directories that were found outside */
};

#define PATH_WATCH_NONE                                                                            \
	{                                                                                          \
		.fd = -1, .watch = -1                                                              \
	}

/* Opens the directories whose changes are of interest. */
int path_watch_open(struct path_watch *watch, const char *const *paths, size_t count,
		    struct error *err);

/*
 * Begins to record. The events are read whenever the program waits. Fails where a file system cannot be
 * watched or is mounted below one of the directories: then the changes are said to be lost.
 */
int path_watch_begin(struct path_watch *watch, struct error *err);

/* Reads what the kernel has to tell now, and whether something was mounted. After this the roots'
 * changes are complete, or say why not. */
void path_watch_catch_up(struct path_watch *watch);

/* Where the directory of a handle is now, relative to the root ("." is itself); NULL: it is gone or
 * outside. The caller frees. */
char *path_watch_resolve(const struct watched_root *root, const void *handle, size_t length);

/* The file of a handle, wherever it is: returns -1 when it is gone. */
int path_watch_stat(const struct watched_root *root, const void *handle, size_t length,
		    struct stat *status);

void path_watch_release(struct path_watch *watch);

#endif
