// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the limits of btrfs subvolumes: their qgroups. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "system/quota.h"

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

uint64_t quota_subvolume_id(const char *path)
{
	CLEANUP(descriptor_close) int fd = open_directory(path);
	struct btrfs_ioctl_ino_lookup_args lookup = { .objectid = BTRFS_FIRST_FREE_OBJECTID };
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0 || status.st_ino != BTRFS_FIRST_FREE_OBJECTID ||
	    ioctl(fd, BTRFS_IOC_INO_LOOKUP, &lookup) < 0)
		return 0;
	return lookup.treeid;
}

/* The item of the quota tree; returns how many bytes of it were found. */
static size_t find_item(int fd, uint32_t type, uint64_t offset, void *item, size_t size)
{
	struct btrfs_ioctl_search_args search = {
		.key = {
			.tree_id = BTRFS_QUOTA_TREE_OBJECTID,
			.max_objectid = 0,
			.min_type = type,
			.max_type = type,
			.min_offset = offset,
			.max_offset = offset,
			.max_transid = UINT64_MAX,
			.nr_items = 1,
		},
	};
	struct btrfs_ioctl_search_header header;

	if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &search) < 0 || search.key.nr_items == 0)
		return 0;
	memcpy(&header, search.buf, sizeof(header));
	if (header.type != type || header.offset != offset || header.len < size)
		return 0;
	memcpy(item, search.buf + sizeof(header), size);
	return size;
}

static bool is_on(int fd)
{
	struct btrfs_qgroup_status_item status;

	return find_item(fd, BTRFS_QGROUP_STATUS_KEY, 0, &status, sizeof(status)) > 0 &&
	       (le64toh(status.flags) & BTRFS_QGROUP_STATUS_FLAG_ON) != 0;
}

static int64_t limit_of(const struct btrfs_qgroup_limit_item *item)
{
	uint64_t flags = le64toh(item->flags);
	uint64_t bytes = 0;

	if ((flags & BTRFS_QGROUP_LIMIT_MAX_RFER) != 0)
		bytes = le64toh(item->max_rfer);
	else if ((flags & BTRFS_QGROUP_LIMIT_MAX_EXCL) != 0)
		bytes = le64toh(item->max_excl);
	return bytes > INT64_MAX ? 0 : (int64_t)bytes;
}

int quota_read_subvolume(const char *path, struct quota *quota, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open_directory(path);
	struct btrfs_qgroup_limit_item item;
	uint64_t id = quota_subvolume_id(path);

	if (fd < 0)
		return error_system(err, "cannot open '%s'", path);
	/* A directory within a subvolume shares the limit with what else is in it. */
	if (id != 0 && is_on(fd) &&
	    find_item(fd, BTRFS_QGROUP_LIMIT_KEY, id, &item, sizeof(item)) > 0)
		quota->bytes = limit_of(&item);
	return 0;
}

int quota_possible_subvolume(const char *parent, const struct quota *quota, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open_directory(parent);

	if (fd < 0 || !is_on(fd))
		return error_exit(err, EXIT_QUOTA,
				  "the private area has a disk quota on the source, and quotas are "
				  "off on the btrfs of '%s': run 'btrfs quota enable %s'",
				  parent, parent);
	if (quota->files > 0 || quota->files_soft > 0)
		return error_exit(err, EXIT_QUOTA,
				  "the private area has a quota of files on the source, which the "
				  "btrfs of '%s' cannot keep: take that limit off, or choose "
				  "another file system",
				  parent);
	return 0;
}

static int create(const char *path, struct error *err)
{
	CLEANUP(memory_release) char *parent = file_parent(path);
	CLEANUP(descriptor_close) int fd = open_directory(parent);
	const char *name = strrchr(path, '/') + 1;
	struct btrfs_ioctl_vol_args arguments = { 0 };

	if (strlen(name) >= sizeof(arguments.name))
		return error_set(err, "the name of '%s' is too long", path);
	memcpy(arguments.name, name, strlen(name) + 1);
	if (fd < 0 || ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &arguments) < 0)
		return error_system(err, "cannot make the subvolume '%s'", path);
	return chmod(path, 0700) < 0 ? error_system(err, "cannot chmod '%s'", path) : 0;
}

static int set_limit(const char *path, const struct quota *quota, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open_directory(path);
	int64_t bytes = quota->bytes > 0 ? quota->bytes : quota->bytes_soft;
	struct btrfs_ioctl_qgroup_limit_args arguments = {
		.qgroupid = quota_subvolume_id(path),
		.lim = { .flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = (uint64_t)bytes },
	};

	if (arguments.qgroupid == 0)
		return error_set(err, "'%s' is there already, and no subvolume", path);
	if (fd < 0 || ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &arguments) < 0)
		return error_system(err, "cannot limit the subvolume '%s'", path);
	return 0;
}

int quota_make_subvolume(const char *path, const struct quota *quota, struct error *err)
{
	/* A plain directory, just made, becomes one. */
	if (file_exists(path) && quota_subvolume_id(path) == 0)
		rmdir(path);
	if ((file_exists(path) || create(path, err) == 0) && set_limit(path, quota, err) == 0)
		return 0;
	err->exit_status = EXIT_QUOTA;
	return -1;
}

/* Newer kernels do it themselves, a moment later than the subvolume is gone. */
void quota_forget_subvolume(const char *parent, uint64_t id)
{
	CLEANUP(descriptor_close) int fd = open_directory(parent);
	struct btrfs_ioctl_qgroup_create_args arguments = { .create = 0, .qgroupid = id };

	if (fd >= 0 && ioctl(fd, BTRFS_IOC_QGROUP_CREATE, &arguments) < 0 && errno != ENOENT)
		log_debug("the qgroup 0/%llu of '%s' is the kernel's to remove: %s",
			  (unsigned long long)id, parent, strerror(errno));
}
