/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of paths that rsync is given for what changed, in the form of its --files-from --from0.
 *
 * Each line brings one path of the target in line with the source: a file or directory that is there is
 * sent, one that is not is deleted there (--delete-missing-args), and a directory with a trailing "/"
 * gets exactly the entries that it has here (--delete). Naming too much is therefore never wrong.
 *
 * rsync takes a file of the same size and time for the same. That can be wrong for one that was copied
 * while it was being written: the second list has the files whose content must be compared.
 */
#ifndef SYSTEM_PATH_LIST_H
#define SYSTEM_PATH_LIST_H

#include <stdint.h>

#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "system/open_files.h"
#include "system/path_watch.h"

/* Files up to this size are compared in any case: reading them is cheap. */
#define PATH_LIST_SMALL (8 << 20)

struct path_list {
	const struct watched_root *root;
	/* path_watch_resolve() and path_watch_stat(), but for tests. */
	char *(*resolve)(const struct watched_root *root, const void *handle, size_t length);
	int (*find)(const struct watched_root *root, const void *handle, size_t length,
		    struct stat *status);
	/* Nanoseconds of the real-time clock: what was modified later than the end of the last pass has
	 * another time there; what was modified before the recording began was not written meanwhile. */
	int64_t last_pass;
	int64_t begun;
	const char *home; /* absolute: where the paths of open files begin */
	/* Only what is below home: what is gone again was never in the target, and directories stay as
	 * they are. */
	bool only_made;

	struct text paths;    /* each with a zero at its end */
	struct text compared; /* those whose content must be compared */
	bool walked;	      /* all names were read, to find the other names of changed files */

	struct table trees;  /* directories that are listed with all that is in them */
	struct table inodes; /* of files with several names, or names unknown */
	struct table names;  /* of theirs that are listed */
};

/*
 * Fills paths and compared from what root->changes have, and from the open files (NULL: none). Fails
 * with the reason when the changes are not completely known: then everything must be looked at.
 */
int path_list_make(struct path_list *list, const struct open_files *open, struct error *err);

/* Only the open files: what a pass over everything may take for unchanged. */
int path_list_make_open(struct path_list *list, const struct open_files *open, struct error *err);
void path_list_release(struct path_list *list);

#endif
