/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which paths changed, as directories and names in them. A directory is known by the kernel's handle,
 * which stays the same when it, or one above it, is renamed: only when the list is made does it get a
 * path (system/path_list.h). The memory is bounded: a directory with very many names is remembered as
 * a whole, and too many directories end the bookkeeping.
 */
#ifndef SYSTEM_PATH_CHANGES_H
#define SYSTEM_PATH_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/table.h"

/* Of one directory. */
struct changed_directory {
	struct table names; /* the number of each says whether a directory appeared there */
	bool whole;	    /* its names were too many: all of them */
};

struct path_changes {
	struct table directories; /* handle -> struct changed_directory */
	struct table files;	  /* handles of the files that changed, whatever they were called */
	size_t names;
	const char *lost; /* why it is not complete, or NULL */
};

/* Limits of the memory, for tests to know. */
#define CHANGED_NAMES_MAX 32768	      /* of one directory */
#define CHANGED_NAMES_TOTAL_MAX 65536 /* then they are remembered as directories */
#define CHANGED_DIRECTORIES_MAX 24576
#define CHANGED_FILES_MAX 32768

/*
 * Something changed about `name` in the directory; "." or NULL: the directory itself. With `appeared`
 * a directory has got this name, by being made or moved: all that is in it counts, and nothing else may
 * be there.
 */
void path_changes_add(struct path_changes *changes, const void *directory, size_t length,
		      const char *name, bool appeared);

/* The file's content or attributes changed: perhaps under a name that it has no more, while it has
 * another one. */
void path_changes_add_file(struct path_changes *changes, const void *file, size_t length);

/* From here on the list is known to miss something; the first reason is kept. */
void path_changes_lose(struct path_changes *changes, const char *reason);

/* The changes of an entry of `directories`. */
struct changed_directory *path_changes_of(const struct table_entry *entry);

void path_changes_release(struct path_changes *changes);

#endif
