// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for which kind of limit a directory can have. */
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/statfs.h>

#include "base/file.h"
#include "base/memory.h"
#include "system/quota.h"

bool quota_is_set(const struct quota *quota)
{
	return quota->bytes > 0 || quota->bytes_soft > 0 || quota->files > 0 ||
	       quota->files_soft > 0;
}

static bool is_btrfs(const char *path)
{
	struct statfs system;

	return statfs(path, &system) == 0 && (long)system.f_type == BTRFS_SUPER_MAGIC;
}

int quota_read(const char *path, struct quota *quota, struct error *err)
{
	*quota = (struct quota){ 0 };
	return is_btrfs(path) ? quota_read_subvolume(path, quota, err)
			      : quota_read_project(path, quota, err);
}

int quota_possible(const char *parent, const struct quota *quota, struct error *err)
{
	return is_btrfs(parent) ? quota_possible_subvolume(parent, quota, err)
				: quota_possible_project(parent, err);
}

int quota_make(const char *path, const struct quota *quota, struct error *err)
{
	CLEANUP(memory_release) char *parent = file_parent(path);

	return is_btrfs(parent) ? quota_make_subvolume(path, quota, err)
				: quota_make_project(path, quota, err);
}

int quota_remove(const char *path, struct error *err)
{
	CLEANUP(memory_release) char *parent = file_parent(path);
	bool subvolume = is_btrfs(path);
	uint64_t id = 0;

	if (!file_exists(path))
		return 0;
	id = subvolume ? quota_subvolume_id(path) : quota_project_id(path);
	if (file_remove_tree(path, err) < 0)
		return -1;
	if (id != 0 && subvolume)
		quota_forget_subvolume(parent, id);
	else if (id != 0)
		quota_forget_project(parent, id);
	return 0;
}
