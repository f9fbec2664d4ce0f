// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the checks of room: disk space, inodes, memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "base/memory.h"
#include "node/check.h"
#include "system/cgroup.h"
#include "system/memory_left.h"
#include "system/proc.h"
#include "system/tree_usage.h"

/* What is wanted beyond the files as they are now: they grow while they are copied, and a file system
 * that is full to the last block serves nobody. */
#define MARGIN_PERCENT 5
#define MARGIN_BYTES ((int64_t)16 << 20)
#define MARGIN_FILES 100

/* Beyond the images: criu, rsync and ourselves. */
#define MARGIN_MEMORY ((int64_t)64 << 20)

#define MIB(bytes) ((long long)(((bytes) + (1 << 20) - 1) >> 20))

static void measure(const struct check_subject *subject, const char *path, size_t number,
		    struct verdicts *verdicts)
{
	struct facts *facts = subject->facts;
	struct tree_usage usage;
	struct error failure = { 0 };

	if (tree_measure(path, &usage, &failure) < 0) {
		verdict_fail(verdicts, &failure, EXIT_COPY);
		return;
	}
	facts->bytes[number] = usage.bytes;
	facts->files[number] = usage.files;
	facts->acls = facts->acls || usage.acls;
	facts->attributes = facts->attributes || usage.attributes;
	facts->case_pairs = facts->case_pairs || usage.case_pairs;
}

void check_measure(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	struct facts *facts = subject->facts;

	if (facts->measured)
		return;
	facts->measured = true;

	measure(subject, container->directory, 0, verdicts);
	measure(subject, container->private_area, 1, verdicts);
	if (!file_path_below(container->private_area, container->directory))
		return;
	facts->bytes[0] -= facts->bytes[1] < facts->bytes[0] ? facts->bytes[1] : facts->bytes[0];
	facts->files[0] -= facts->files[1] < facts->files[0] ? facts->files[1] : facts->files[0];
}

/* One file system of the destination, and what shall come onto it. */
struct room {
	char *parent;
	dev_t device;
	int64_t bytes;
	int64_t files;
};

/* What an earlier attempt left there need not come again. */
static void subtract_kept(const struct area *area, struct room *room)
{
	struct tree_usage kept;
	struct error ignored;

	if (!file_exists(area->staging) || tree_measure(area->staging, &kept, &ignored) < 0)
		return;
	room->bytes = kept.bytes < room->bytes ? room->bytes - kept.bytes : 0;
	room->files = kept.files < room->files ? room->files - kept.files : 0;
}

static void check_room(const struct room *room, const char *id, struct verdicts *verdicts)
{
	int64_t bytes = room->bytes + room->bytes * MARGIN_PERCENT / 100 + MARGIN_BYTES;
	int64_t files = room->files + room->files * MARGIN_PERCENT / 100 + MARGIN_FILES;
	struct statvfs there;
	int64_t left;

	if (statvfs(room->parent, &there) < 0) {
		verdict_refuse(verdicts, EXIT_DISK_SPACE, "cannot learn what is free in '%s': %s",
			       room->parent, strerror(errno));
		return;
	}
	left = (int64_t)there.f_bavail * (int64_t)there.f_frsize;
	if (left < bytes)
		verdict_refuse(verdicts, EXIT_DISK_SPACE,
			       "the files of container '%s' need %lld MiB in '%s', and %lld are "
			       "free: make room",
			       id, MIB(bytes), room->parent, MIB(left));
	/* Some file systems make inodes as they are wanted, and tell of none. */
	if (there.f_files > 0 && (int64_t)there.f_favail < files)
		verdict_refuse(verdicts, EXIT_DISK_SPACE,
			       "container '%s' has %lld files, and '%s' has only %lld inodes "
			       "free: make room",
			       id, (long long)files, room->parent, (long long)there.f_favail);
}

void check_disk_space(const struct check_subject *subject, struct verdicts *verdicts)
{
	struct room rooms[AREAS_MAX] = { 0 };
	size_t count = 0;

	if (!subject->destination) {
		check_measure(subject, verdicts);
		return;
	}
	for (size_t i = 0; i < subject->areas->count; i++) {
		const struct area *area = &subject->areas->items[i];
		struct room room = {
			.parent = check_standing_parent(area->final),
			.bytes = subject->facts->bytes[i],
			.files = subject->facts->files[i],
		};
		struct stat status;

		/* The private area is inside of the only one. */
		if (subject->areas->count == 1) {
			room.bytes += subject->facts->bytes[1];
			room.files += subject->facts->files[1];
		}
		subtract_kept(area, &room);
		room.device = stat(room.parent, &status) == 0 ? status.st_dev : 0;
		if (count > 0 && rooms[0].device == room.device) {
			rooms[0].bytes += room.bytes;
			rooms[0].files += room.files;
			free(room.parent);
		} else {
			rooms[count++] = room;
		}
	}
	for (size_t i = 0; i < count; i++) {
		check_room(&rooms[i], subject->host->container.id, verdicts);
		free(rooms[i].parent);
	}
}

/* Shared pages count once, however many have them. */
static void add_memory(pid_t pid, void *data)
{
	static const char *const labels[] = { "Pss_Anon:", "Pss_Shmem:", "SwapPss:" };
	CLEANUP(text_release) struct text rollup = { 0 };
	int64_t *bytes = data;

	if (!proc_read(pid, "smaps_rollup", &rollup))
		return;
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		int64_t kibibytes = proc_number(&rollup, labels[i]);

		*bytes += kibibytes > 0 ? kibibytes * 1024 : 0;
	}
}

static int measure_memory(const struct container *container, int64_t *bytes, struct error *err)
{
	CLEANUP(memory_release) char *freezer = NULL;

	*bytes = 0;
	if (cgroup_find_freezer(container->init_pid, &freezer, err) < 0)
		return -1;
	return cgroup_visit(freezer, add_memory, bytes, err);
}

/* The source has the images in memory until they are over there; the destination has them, and the
 * processes that are made of them. */
void check_memory(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	struct error failure = { 0 };
	int64_t wanted;
	int64_t left;

	if (!subject->destination &&
	    measure_memory(container, &subject->facts->memory, &failure) < 0) {
		verdict_fail(verdicts, &failure, EXIT_DISK_SPACE);
		return;
	}
	wanted = subject->facts->memory * (subject->destination ? 2 : 1) + MARGIN_MEMORY;
	left = memory_left(&failure);
	if (left < 0)
		verdict_fail(verdicts, &failure, EXIT_DISK_SPACE);
	else if (left < wanted)
		verdict_refuse(verdicts, EXIT_DISK_SPACE,
			       "container '%s' has %lld MiB in memory; its images%s need %lld, and "
			       "%lld are free: free some, or migrate it without --online",
			       container->id, MIB(subject->facts->memory),
			       subject->destination ? " and its processes" : "", MIB(wanted),
			       MIB(left));
}
