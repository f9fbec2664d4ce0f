// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading the table of mounts. */
#include <mntent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "system/mounts.h"

#define LINE_SIZE 16384 /* four paths of PATH_MAX, all of it escaped at worst only in one */

int mounts_below(const char *path, struct error *err)
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	struct mntent entry;
	char line[LINE_SIZE];
	int found = 0;

	if (table == NULL)
		return error_system(err, "cannot read the table of mounts");
	while (found == 0 && getmntent_r(table, &entry, line, sizeof(line)) != NULL)
		found = strcmp(entry.mnt_dir, path) != 0 && file_path_below(entry.mnt_dir, path);
	endmntent(table);
	return found;
}
