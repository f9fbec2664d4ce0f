// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the open files and mappings of a process that criu cannot dump. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "node/scan.h"
#include "runtime/runtime.h"
#include "system/proc.h"

#define LINK_SIZE 1024

#define BLOCK 512

/* What criu can dump of the files that have no name (criu(8), its source's files-*.c). */
static const char *const anonymous[] = { "[eventfd]", "[eventpoll]", "[signalfd]", "[timerfd]",
					 "inotify",   "[fanotify]",  "[pidfd]" };

#define PTS_MAJOR UNIX98_PTY_SLAVE_MAJOR
#define TUN_MAJOR 10
#define TUN_MINOR 200
#define MULTIPLEXER_MINOR 2 /* of major 5: /dev/ptmx */

static bool is_dumpable(const char *kind)
{
	for (size_t i = 0; i < COUNT_OF(anonymous); i++)
		if (strcmp(kind, anonymous[i]) == 0)
			return true;
	return false;
}

static void scan_device(struct scan *scan, pid_t pid, const char *fd, const char *target,
			const struct statx *status)
{
	bool character = S_ISCHR(status->stx_mode);
	unsigned int number = status->stx_rdev_major;

	if (character && (number == MEM_MAJOR || number == TTY_MAJOR || number == TTYAUX_MAJOR ||
			  (number >= PTS_MAJOR && number < PTS_MAJOR + 8) ||
			  (number == TUN_MAJOR && status->stx_rdev_minor == TUN_MINOR)))
		return;
	scan_refuse(scan, pid,
		    "has the device '%.200s' (%s %u:%u) open (descriptor %s), which criu cannot "
		    "dump: close it, or migrate without --online",
		    target, character ? "character" : "block", number, status->stx_rdev_minor, fd);
}

/* Both ends of a pseudo-terminal, by the number that they share. */
static void note_terminal(struct scan *scan, pid_t pid, const struct text *fdinfo,
			  const struct statx *status)
{
	unsigned int number = status->stx_rdev_major;
	int64_t index = proc_number(fdinfo, "tty-index:");

	if (index >= 0 || (number == TTYAUX_MAJOR && status->stx_rdev_minor == MULTIPLEXER_MINOR))
		scan_files_add(&scan->masters, pid, index);
	else if (number >= PTS_MAJOR && number < PTS_MAJOR + 8)
		scan_files_add(&scan->terminals, pid,
			       (int64_t)(number - PTS_MAJOR) * 256 + status->stx_rdev_minor);
}

static void scan_deleted(struct scan *scan, pid_t pid, const char *fd, const char *target,
			 const struct statx *status)
{
	if (!S_ISREG(status->stx_mode) || status->stx_nlink > 0 ||
	    status->stx_blocks * BLOCK <= (uint64_t)CHECKPOINT_GHOST_MIB << 20)
		return;
	scan_refuse(scan, pid,
		    "has a deleted file of %llu MiB open (descriptor %s, '%.200s'), and criu "
		    "carries at most %d: close or truncate it, or migrate without --online",
		    (unsigned long long)(status->stx_blocks * BLOCK) >> 20, fd, target,
		    CHECKPOINT_GHOST_MIB);
}

/* Is the mount that the file was opened through one of the process's own namespace? */
static bool is_inside(const struct text *mounts, int64_t mount)
{
	CLEANUP(memory_release) char *label = memory_format("%lld ", (long long)mount);

	for (const char *at = text_string(mounts); *at != '\0';) {
		if (text_starts_with(at, label))
			return true;
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return false;
}

static void scan_named(struct scan *scan, pid_t pid, const char *fd, const char *target,
		       const struct text *mounts)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/fd/%s", (int)pid, fd);
	CLEANUP(memory_release) char *info = memory_format("fdinfo/%s", fd);
	CLEANUP(text_release) struct text fdinfo = { 0 };
	bool is_memory = text_starts_with(target, "/memfd:");
	struct statx status;

	/* Without asking a file system's server, which may be what hangs. */
	if (!proc_read(pid, info, &fdinfo) ||
	    statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
		  &status) < 0)
		return;
	if (!is_memory && mounts->length > 0 &&
	    !is_inside(mounts, proc_number(&fdinfo, "mnt_id:"))) {
		scan_refuse(scan, pid,
			    "has '%.200s' open (descriptor %s), which is outside of the container: "
			    "restart it with its files inside, or migrate without --online",
			    target, fd);
		return;
	}
	if (S_ISCHR(status.stx_mode))
		note_terminal(scan, pid, &fdinfo, &status);
	if (S_ISCHR(status.stx_mode) || S_ISBLK(status.stx_mode))
		scan_device(scan, pid, fd, target, &status);
	else if (!is_memory)
		scan_deleted(scan, pid, fd, target, &status);
}

static void scan_descriptor(struct scan *scan, pid_t pid, const char *fd, const struct text *mounts)
{
	static const char anonymous_prefix[] = "anon_inode:";
	CLEANUP(memory_release) char *name = memory_format("fd/%s", fd);
	char target[LINK_SIZE];
	long long inode;

	if (!proc_link(pid, name, target, sizeof(target)))
		return;
	if (sscanf(target, "socket:[%lld]", &inode) == 1)
		scan_files_add(&scan->sockets, pid, inode);
	else if (text_starts_with(target, anonymous_prefix) &&
		 !is_dumpable(target + sizeof(anonymous_prefix) - 1))
		scan_refuse(scan, pid,
			    "has a file of the kind %s open (descriptor %s), which criu cannot "
			    "dump: end it, or migrate without --online",
			    target + sizeof(anonymous_prefix) - 1, fd);
	else if (target[0] == '/')
		scan_named(scan, pid, fd, target, mounts);
}

void scan_descriptors(struct scan *scan, pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/fd", (int)pid);
	CLEANUP(text_release) struct text mounts = { 0 };
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (directory == NULL)
		return;
	proc_read(pid, "mountinfo", &mounts);
	while ((entry = readdir(directory)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			scan_descriptor(scan, pid, entry->d_name, &mounts);
	closedir(directory);
}

/* A ring may be mapped and its descriptor closed; a device may be mapped. */
static bool is_foreign_mapping(const char *file)
{
	if (text_starts_with(file, "anon_inode:"))
		return !is_dumpable(file + strlen("anon_inode:"));
	return text_starts_with(file, "/dev/") && !text_starts_with(file, "/dev/zero") &&
	       !text_starts_with(file, "/dev/shm/");
}

/* "START-END PERMISSIONS OFFSET DEVICE INODE      FILE" */
void scan_mappings(struct scan *scan, pid_t pid)
{
	CLEANUP(text_release) struct text maps = { 0 };
	char *rest;

	proc_read(pid, "maps", &maps);
	rest = maps.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		int file = 0;

		if (sscanf(line, "%*s %*s %*s %*s %*s %n", &file) < 0 || file == 0 ||
		    !is_foreign_mapping(line + file))
			continue;
		scan_refuse(scan, pid,
			    "has '%.200s' mapped into its memory, which criu cannot dump: end "
			    "it, or migrate without --online",
			    line + file);
		return;
	}
}
