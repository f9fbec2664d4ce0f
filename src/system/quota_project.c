// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the limits of projects of ext4 and XFS. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "system/quota.h"

/* Ids that admins give by hand (/etc/projid) are small, as the ids of containers are. */
#define PROJECT_FIRST 1000000
#define PROJECT_COUNT 100000

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* By descriptor: the device of the file system need not have a name here. */
static int ask(int fd, unsigned int command, uint32_t project, void *answer)
{
	return (int)syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), project, answer);
}

/* ext4 counts whenever it has the feature; limits hold only when it is mounted so. */
static bool is_enforced(int fd)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };

	return ask(fd, Q_XGETQSTATV, 0, &state) == 0 && (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

/* False, and no attributes: file systems that know no projects. */
static bool read_attributes(const char *path, struct fsxattr *attributes)
{
	CLEANUP(descriptor_close) int fd = open_directory(path);

	*attributes = (struct fsxattr){ 0 };
	return fd >= 0 && ioctl(fd, FS_IOC_FSGETXATTR, attributes) == 0;
}

/* The project that everything made in the directory is of; 0: none. */
static uint32_t inherited_project(const char *parent)
{
	struct fsxattr attributes;

	return read_attributes(parent, &attributes) &&
			       (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0
		       ? attributes.fsx_projid
		       : 0;
}

uint64_t quota_project_id(const char *path)
{
	CLEANUP(memory_release) char *parent = file_parent(path);
	struct fsxattr attributes;

	return read_attributes(path, &attributes) &&
			       attributes.fsx_projid != inherited_project(parent)
		       ? attributes.fsx_projid
		       : 0;
}

int quota_read_project(const char *path, struct quota *quota, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open_directory(path);
	uint64_t project = quota_project_id(path);
	struct if_dqblk limits = { 0 };

	if (fd < 0)
		return error_system(err, "cannot open '%s'", path);
	if (project == 0 || !is_enforced(fd))
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
	uint32_t project = inherited_project(parent);

	if (fd < 0 || !is_enforced(fd))
		return error_exit(err, EXIT_QUOTA,
				  "the private area has a disk quota on the source, which the file "
				  "system of '%s' cannot keep: mount it with project quotas "
				  "(prjquota), or take the limit off",
				  parent);
	/* The kernel would refuse to rename the copy within it (EXDEV). */
	if (project != 0)
		return error_exit(err, EXIT_QUOTA,
				  "the private area has a disk quota on the source, and what is "
				  "made in '%s' belongs to its project %u and cannot have a limit "
				  "of its own: take that off (chattr -P %s), or choose another "
				  "directory",
				  parent, project, parent);
	return 0;
}

/* What is of the project, and its limits; all 0 when nobody ever used it. */
static int read_project(int fd, uint32_t project, struct if_dqblk *state)
{
	*state = (struct if_dqblk){ 0 };
	return ask(fd, Q_GETQUOTA, project, state) < 0 && errno != ESRCH && errno != ENOENT ? -1
											    : 0;
}

static bool is_free(int fd, uint32_t project)
{
	struct if_dqblk state;

	return read_project(fd, project, &state) == 0 && state.dqb_curspace == 0 &&
	       state.dqb_curinodes == 0 && state.dqb_bhardlimit == 0 && state.dqb_bsoftlimit == 0 &&
	       state.dqb_ihardlimit == 0 && state.dqb_isoftlimit == 0;
}

/* The directory is its only file, and not that of another migration that chose it at the same time. */
static bool is_ours_alone(int fd, uint32_t project)
{
	struct if_dqblk state;

	return read_project(fd, project, &state) == 0 && state.dqb_curinodes == 1;
}

static int give_to_project(int fd, const char *path, uint32_t project, struct error *err)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return error_system(err, "cannot learn the project of '%s'", path);
	attributes.fsx_projid = project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0)
		return error_system(err, "cannot give '%s' to project %u", path, project);
	return 0;
}

/* Begins anywhere, so that two who choose at once hardly meet. */
static int choose_project(int fd, const char *path, uint32_t *project, struct error *err)
{
	uint32_t first = 0;

	if (getrandom(&first, sizeof(first), 0) != sizeof(first))
		return error_system(err, "cannot get random bytes");
	for (uint32_t i = 0; i < PROJECT_COUNT; i++) {
		*project = PROJECT_FIRST + (first % PROJECT_COUNT + i) % PROJECT_COUNT;
		if (!is_free(fd, *project))
			continue;
		if (give_to_project(fd, path, *project, err) < 0)
			return -1;
		if (is_ours_alone(fd, *project))
			return 0;
	}
	return error_set(err, "no project id is free for '%s'", path);
}

static bool is_chosen(uint64_t project)
{
	return project >= PROJECT_FIRST && project < PROJECT_FIRST + PROJECT_COUNT;
}

static int set_project(int fd, const char *path, uint32_t *project, struct error *err)
{
	uint64_t has = quota_project_id(path);

	if (!is_chosen(has))
		return choose_project(fd, path, project, err);
	/* An earlier call's. */
	*project = (uint32_t)has;
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
	if (fd >= 0 && is_chosen(id) && set_limits(fd, parent, (uint32_t)id, &none, &failure) < 0)
		log_debug("%s", failure.text);
}
