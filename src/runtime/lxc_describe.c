// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what an LXC container is: its configuration as a struct container. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/fence.h"
#include "runtime/lxc.h"

/* Root file systems that are more than a directory: each needs its own way to be copied. */
static int refuse_kind(const char *id, const char *kind, struct error *err)
{
	return error_exit(err, EXIT_TECHNOLOGIES,
			  "container '%s' has a root file system of the kind '%s'; only a "
			  "directory ('dir') can be migrated",
			  id, kind);
}

/* "dir:/path" or "/path": the path, else the kind is an error. */
static const char *rootfs_path(const char *id, const char *value, struct error *err)
{
	size_t kind = strcspn(value, ":/");

	if (value[0] == '/')
		return value;
	if (text_starts_with(value, "dir:/"))
		return value + 4;
	if (value[kind] == ':') {
		CLEANUP(memory_release) char *name = memory_format("%.*s", (int)kind, value);

		refuse_kind(id, name, err);
	} else {
		error_set(err, "container '%s' has a relative lxc.rootfs.path '%s'", id, value);
	}
	return NULL;
}

static int describe_rootfs(const struct lxc_config *config, struct container *container,
			   struct error *err)
{
	const char *value = lxc_config_get(config, "lxc.rootfs.path");
	const char *path;
	struct stat status;

	if (value == NULL)
		return error_set(err,
				 "container '%s' has no lxc.rootfs.path in its configuration "
				 "(one of lxc 2 is converted by lxc-update-config)",
				 container->id);
	path = rootfs_path(container->id, value, err);
	if (path == NULL)
		return -1;
	container->private_area = realpath(path, NULL);
	if (container->private_area == NULL || stat(container->private_area, &status) < 0)
		return error_system(err, "cannot find the root file system '%s' of container '%s'",
				    path, container->id);
	if (S_ISBLK(status.st_mode))
		return refuse_kind(container->id, "block device", err);
	if (S_ISREG(status.st_mode))
		return refuse_kind(container->id, "image file", err);
	if (!S_ISDIR(status.st_mode) || !file_path_is_plain(container->private_area))
		return error_set(err,
				 "the root file system '%s' of container '%s' is no directory "
				 "of its own",
				 path, container->id);
	return 0;
}

static int describe_ranges(const struct lxc_config *config, struct container *container,
			   struct error *err)
{
	CLEANUP(words_release) struct words values = { 0 };

	lxc_config_list(config, "lxc.idmap", &values);
	if (values.count > 0)
		container->ranges = memory_allocate(values.count, sizeof(*container->ranges));
	for (size_t i = 0; i < values.count; i++) {
		struct id_range *range = &container->ranges[i];
		char kind;

		if (sscanf(values.items[i], " %c %u %u %u", &kind, &range->inside, &range->outside,
			   &range->count) != 4 ||
		    (kind != 'u' && kind != 'g') || range->count == 0)
			return error_set(err, "container '%s' has an lxc.idmap '%s' that is none",
					 container->id, values.items[i]);
		range->group = kind == 'g';
		container->range_count = i + 1;
	}
	return 0;
}

/* lxc.net.*, mounts and state are of other files. */
static int describe_config(const struct lxc_config *config, struct container *container,
			   struct error *err)
{
	const char *hostname = lxc_config_get(config, "lxc.uts.name");
	const char *root = lxc_config_get(config, "lxc.rootfs.mount");

	container->hostname = memory_duplicate(hostname != NULL ? hostname : container->id);
	if (root != NULL && file_path_is_plain(root))
		container->root = memory_duplicate(root);
	if (describe_rootfs(config, container, err) < 0 ||
	    describe_ranges(config, container, err) < 0 ||
	    lxc_describe_mounts(config, container, err) < 0)
		return -1;
	return lxc_describe_devices(config, container, err);
}

int lxc_describe(const char *id, struct container *container, struct error *err)
{
	CLEANUP(container_release) struct container found = { 0 };
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release) char *home = NULL;
	CLEANUP(memory_release) char *path = NULL;

	if (container_check_id(id, err) < 0)
		return -1;
	if (id[0] == '/')
		return 0;
	home = lxc_home(err);
	if (home == NULL)
		return -1;
	found.directory = memory_format("%s/%s", home, id);
	path = lxc_config_path(found.directory);
	if (path == NULL)
		return 0;
	found.fenced = fence_is_up(path);
	found.id = memory_duplicate(id);
	found.runtime = memory_duplicate(runtime_lxc.name);
	if (lxc_config_read(&config, path, err) < 0)
		return error_context(err, "cannot read the configuration of container '%s'", id);
	if (lxc_state(id, found.directory, LXC_INFO_TIMEOUT_MS, &found.state, &found.init_pid,
		      err) < 0)
		return -1;
	if (describe_config(&config, &found, err) < 0)
		return -1;
	*container = found;
	found = (struct container){ 0 };
	return 1;
}
