// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for removing or setting aside the source's container after the switch. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "node/retire.h"
#include "system/quota.h"

/* A name beside `path` that is free. The caller frees. */
static char *migrated_name(const char *path)
{
	char *name = memory_format("%s.migrated", path);

	for (int number = 2; file_exists(name); number++) {
		free(name);
		name = memory_format("%s.migrated.%d", path, number);
	}
	return name;
}

static char *removed_name(const char *path)
{
	CLEANUP(memory_release) char *parent = file_parent(path);

	return memory_format("%s/.%s.vzmigrate-removed", strcmp(parent, "/") == 0 ? "" : parent,
			     strrchr(path, '/') + 1);
}

/* The private area, which may be all of it, first: its disk quota is one of its own. */
static int remove_retired(const char *name, const char *private_area, struct error *err)
{
	CLEANUP(memory_release) char *limited = memory_format("%s%s", name, private_area);

	return quota_remove(limited, err) < 0 ? -1 : file_remove_tree(name, err);
}

/* private_area: where in the directory it is: "/rootfs", or "" for all of it. */
static int retire_directory(const char *path, const char *private_area, bool remove,
			    struct error *err)
{
	CLEANUP(memory_release) char *name = remove ? removed_name(path) : migrated_name(path);

	/* What an interrupted removal left. */
	if (remove && file_exists(name) && remove_retired(name, private_area, err) < 0)
		return -1;
	if (!file_exists(path))
		return 0;
	if (file_rename(path, name, err) < 0)
		return -1;
	log_debug("'%s' is now '%s'", path, name);
	return remove ? remove_retired(name, private_area, err) : 0;
}

int retire_container(struct host *host, bool remove, struct error *err)
{
	const struct container *container = &host->container;

	if (file_path_below(container->private_area, container->directory))
		return retire_directory(container->directory,
					container->private_area + strlen(container->directory),
					remove, err);
	return retire_directory(container->private_area, "", remove, err) < 0
		       ? -1
		       : retire_directory(container->directory, "", remove, err);
}
