// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the checks of what the container's files and mounts need from the node. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"
#include "node/check.h"

/* Inside of these neither owners nor modes stay, and names differ by more than case. */
static const struct {
	long magic;
	const char *name;
} poor[] = {
	{ MSDOS_SUPER_MAGIC, "vfat" },
	{ EXFAT_SUPER_MAGIC, "exfat" },
	{ 0x5346544e, "ntfs" },
	{ 0x7366746e, "ntfs3" },
	{ 0x4244, "hfs" },
	{ 0x482b, "hfsplus" },
	{ SMB_SUPER_MAGIC, "smb" },
	{ CIFS_SUPER_MAGIC, "cifs" },
	{ SMB2_SUPER_MAGIC, "smb3" },
};

static bool lacks_attribute(const char *directory, const char *name)
{
	char value[16];

	return getxattr(directory, name, value, sizeof(value)) < 0 && errno == EOPNOTSUPP;
}

/* A directory of ext4 or f2fs for which "a" and "A" are one name; what is made in it is so, too. */
static bool folds_case(const char *directory)
{
	CLEANUP(descriptor_close) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int flags = 0;

	return fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_CASEFOLD_FL) != 0;
}

static const char *poor_name(const char *directory)
{
	struct statfs system;

	if (statfs(directory, &system) < 0)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(poor); i++)
		if ((long)system.f_type == poor[i].magic)
			return poor[i].name;
	return NULL;
}

static void check_directory(const struct check_subject *subject, const char *directory,
			    struct verdicts *verdicts)
{
	const char *id = subject->host->container.id;
	const struct facts *facts = subject->facts;
	const char *name = poor_name(directory);

	if (name != NULL) {
		verdict_refuse(
			verdicts, EXIT_TECHNOLOGIES,
			"'%s' is on a file system of the type %s, which keeps neither owners "
			"nor modes: mount another one there",
			directory, name);
		return;
	}
	if (facts->acls && lacks_attribute(directory, "system.posix_acl_access"))
		verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
			       "files of container '%s' have ACLs, which the file system of '%s' "
			       "does not keep: mount it with ACLs, or another one",
			       id, directory);
	if (facts->attributes && lacks_attribute(directory, "user.vzmigrate"))
		verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
			       "files of container '%s' have extended attributes, which the file "
			       "system of '%s' does not keep: mount another one there",
			       id, directory);
	if (facts->case_pairs && folds_case(directory))
		verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
			       "container '%s' has files whose names differ only in case, which "
			       "are one and the same in '%s': choose another directory",
			       id, directory);
}

void check_filesystem(const struct check_subject *subject, struct verdicts *verdicts)
{
	if (!subject->destination) {
		check_measure(subject, verdicts);
		return;
	}
	for (size_t i = 0; i < subject->areas->count; i++) {
		CLEANUP(memory_release)
		char *parent = check_standing_parent(subject->areas->items[i].final);

		check_directory(subject, parent, verdicts);
	}
}

void check_quota(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	CLEANUP(memory_release) char *parent = NULL;
	struct error failure = { 0 };

	parent = check_standing_parent(container->private_area);
	if (quota_is_set(&subject->facts->quota) &&
	    quota_possible(parent, &subject->facts->quota, &failure) < 0)
		verdict_fail(verdicts, &failure, EXIT_QUOTA);
}

void check_configuration(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;

	for (size_t i = 0; i < container->includes.count; i++)
		if (!file_exists(container->includes.items[i]))
			verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
				       "the configuration of container '%s' includes '%s', which "
				       "is not there: copy it",
				       container->id, container->includes.items[i]);
}

static void note_mounts(const struct check_subject *subject)
{
	const struct words *sources = &subject->host->container.mount_sources;

	for (size_t i = 0; i < sources->count; i++) {
		CLEANUP(memory_release) char *kind = facts_kind_of(sources->items[i]);

		words_add(&subject->facts->mounts, kind);
	}
}

/* What is bound into it has to be here, and to be the same: a directory, a file, that device. */
void check_mounts(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	const struct words *kinds = &subject->facts->mounts;

	if (!subject->destination) {
		note_mounts(subject);
		return;
	}
	for (size_t i = 0; i < container->mount_sources.count; i++) {
		const char *source = container->mount_sources.items[i];
		const char *kind = i < kinds->count ? kinds->items[i] : "";
		CLEANUP(memory_release) char *here = facts_kind_of(source);

		if (strcmp(here, "missing") == 0)
			verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
				       "container '%s' mounts '%s' from outside, which is not "
				       "there: make it",
				       container->id, source);
		else if (*kind != '\0' && strcmp(kind, here) != 0)
			verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
				       "container '%s' mounts '%s' from outside, which is a %s on "
				       "the source and a %s here: make it the same",
				       container->id, source, kind, here);
	}
}
