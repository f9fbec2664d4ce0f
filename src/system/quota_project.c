// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the limits of projects of ext4 and XFS. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "system/quota.h"

/* Ids that admins give by hand (/etc/projid) are small, as the ids of containers are. */
#define PROJECT_FIRST 1000000
#define PROJECT_LAST 1100000

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* By descriptor: the device of the file system need not have a name here. */
static int ask(int fd, unsigned int command, uint32_t project, void *answer)
{
	return (int)syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), project, answer);
}

static bool is_on(int fd)
{
	struct if_dqinfo info;

	return ask(fd, Q_GETINFO, 0, &info) == 0;
}

uint64_t quota_project_id(const char *path)
{
	CLEANUP(descriptor_close) int fd = open_directory(path);
	struct fsxattr attributes;

	return fd >= 0 && ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0 ? attributes.fsx_projid
									 : 0;
}

int quota_read_project(const char *path, struct quota *quota, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open_directory(path);
	uint64_t project = quota_project_id(path);
	struct if_dqblk limits = { 0 };

	if (fd < 0)
		return error_system(err, "cannot open '%s'", path);
	if (project == 0 || !is_on(fd))
		return 0;
	if (ask(fd, Q_GETQUOTA, (uint32_t)project, &limits) < 0)
		return errno == ESRCH || errno == ENOENT
			       ? 0
			       : error_system(err, "cannot read the quota of '%s'", path);
	*quota = (struct quota){
		.bytes = (int64_t)limits.dqb_bhardlimit * QIF_DQBLKSIZE,
		.bytes_soft = (int64_t)limits.dqb_bsoftlimit * QIF_DQBLKSIZE,
		.files = (int64_t)limits.dqb_ihardlimit,
		.files_soft = (int64_t)limits.dqb_isoftlimit,
	};
	return 0;
}

int quota_possible_project(const char *parent, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open_directory(parent);

	if (fd >= 0 && is_on(fd))
		return 0;
	return error_exit(err, EXIT_QUOTA,
			  "the private area has a disk quota on the source, which the file system "
			  "of '%s' cannot keep: mount it with project quotas (prjquota), or take "
			  "the limit off",
			  parent);
}

/* One that nothing belongs to and that has no limit. */
static bool is_free(int fd, uint32_t project)
{
	struct if_dqblk limits = { 0 };

	if (ask(fd, Q_GETQUOTA, project, &limits) < 0)
		return errno == ESRCH || errno == ENOENT;
	return limits.dqb_curspace == 0 && limits.dqb_curinodes == 0 &&
	       limits.dqb_bhardlimit == 0 && limits.dqb_bsoftlimit == 0 &&
	       limits.dqb_ihardlimit == 0 && limits.dqb_isoftlimit == 0;
}

static uint32_t find_free(int fd)
{
	for (uint32_t project = PROJECT_FIRST; project < PROJECT_LAST; project++)
		if (is_free(fd, project))
			return project;
	return 0;
}

static int set_project(int fd, const char *path, uint32_t *project, struct error *err)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return error_system(err, "cannot learn the project of '%s'", path);
	*project = attributes.fsx_projid != 0 ? attributes.fsx_projid : find_free(fd);
	if (*project == 0)
		return error_set(err, "no project id is free for '%s'", path);
	attributes.fsx_projid = *project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0)
		return error_system(err, "cannot give '%s' to project %u", path, *project);
	return 0;
}

static int set_limits(int fd, const char *path, uint32_t project, const struct quota *quota,
		      struct error *err)
{
	struct if_dqblk limits = {
		.dqb_bhardlimit = (uint64_t)quota->bytes / QIF_DQBLKSIZE,
		.dqb_bsoftlimit = (uint64_t)quota->bytes_soft / QIF_DQBLKSIZE,
		.dqb_ihardlimit = (uint64_t)quota->files,
		.dqb_isoftlimit = (uint64_t)quota->files_soft,
		.dqb_valid = QIF_LIMITS,
	};

	if (ask(fd, Q_SETQUOTA, project, &limits) < 0)
		return error_system(err, "cannot limit project %u, which is '%s'", project, path);
	return 0;
}

int quota_make_project(const char *path, const struct quota *quota, struct error *err)
{
	CLEANUP(descriptor_close) int fd = -1;
	uint32_t project = 0;

	if (file_make_directory(path, 0700, err) >= 0) {
		fd = open_directory(path);
		if (fd < 0)
			error_system(err, "cannot open '%s'", path);
		else if (set_project(fd, path, &project, err) == 0 &&
			 set_limits(fd, path, project, quota, err) == 0)
			return 0;
	}
	err->exit_status = EXIT_QUOTA;
	return -1;
}

void quota_forget_project(const char *parent, uint64_t id)
{
	CLEANUP(descriptor_close) int fd = open_directory(parent);
	static const struct quota none;
	struct error failure;

	/* Only what this program chose: others may be shared. */
	if (fd >= 0 && id >= PROJECT_FIRST && id < PROJECT_LAST &&
	    set_limits(fd, parent, (uint32_t)id, &none, &failure) < 0)
		log_debug("%s", failure.text);
}
