// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for fanotify: which paths below a directory the kernel says are changing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/wait.h"
#include "system/mounts.h"
#include "system/path_watch.h"

#define EVENTS                                                                                     \
	(FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM |    \
	 FAN_MOVED_TO | FAN_ONDIR)
#define APPEARING (FAN_CREATE | FAN_MOVED_TO)
#define CHANGING (FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB)

/* Asked again after this many, so that their memory is bounded. */
#define STRANGERS_MAX 16384
/* The kernel's queue is read in pieces of this size; one event is much smaller. */
#define READ_SIZE 65536
/* It is also read whenever there is something. */
#define WATCH_INTERVAL_MS 1000

/* A directory or file of one of several file systems, as a key. */
struct identity {
	size_t length;
	struct {
		fsid_t file_system;
		unsigned char handle[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} key;
};

static bool identify(const struct fanotify_event_info_fid *info, struct identity *identity)
{
	struct file_handle handle;
	size_t length;

	memcpy(&handle, info->handle, sizeof(handle));
	if (handle.handle_bytes == 0 || handle.handle_bytes > MAX_HANDLE_SZ)
		return false;
	length = sizeof(handle) + handle.handle_bytes;
	memcpy(&identity->key.file_system, &info->fsid, sizeof(fsid_t));
	memcpy(identity->key.handle, info->handle, length);
	identity->length = sizeof(fsid_t) + length;
	return true;
}

/* The object itself, without opening it for anything; -1 when it is gone. */
static int open_identity(const struct watched_root *root, const void *key, size_t length)
{
	union {
		struct file_handle handle;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} copy;

	if (length <= sizeof(fsid_t) || length > sizeof(fsid_t) + sizeof(copy))
		return -1;
	memcpy(copy.bytes, (const char *)key + sizeof(fsid_t), length - sizeof(fsid_t));
	return open_by_handle_at(root->fd, &copy.handle, O_PATH | O_CLOEXEC);
}

static ssize_t path_of_descriptor(int fd, char *path, size_t size)
{
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, size - 1);
	if (length >= 0)
		path[length] = '\0';
	return length;
}

enum place { PLACE_INSIDE, PLACE_OUTSIDE, PLACE_GONE };

/* Where the directory is now; inside, its path from the root on is in *below, which the caller frees. */
static enum place find_place(const struct watched_root *root, const void *handle, size_t length,
			     char **below)
{
	CLEANUP(descriptor_close) int fd = open_identity(root, handle, length);
	size_t prefix = strlen(root->path);
	struct stat status;
	char path[PATH_MAX];

	*below = NULL;
	/* One that was removed while somebody uses it still has a handle. */
	if (fd < 0 || fstat(fd, &status) < 0 || status.st_nlink == 0)
		return PLACE_GONE;
	if (path_of_descriptor(fd, path, sizeof(path)) < 0 || !file_path_below(path, root->path))
		return PLACE_OUTSIDE;
	*below = memory_duplicate(path[prefix] == '\0' ? "." : path + prefix + 1);
	return PLACE_INSIDE;
}

char *path_watch_resolve(const struct watched_root *root, const void *handle, size_t length)
{
	char *below;

	find_place(root, handle, length, &below);
	return below;
}

int path_watch_stat(const struct watched_root *root, const void *handle, size_t length,
		    struct stat *status)
{
	CLEANUP(descriptor_close) int fd = open_identity(root, handle, length);

	if (fd < 0)
		return -1;
	return fstat(fd, status);
}

static bool is_of(const struct watched_root *root, const struct identity *identity)
{
	return memcmp(&root->file_system, &identity->key.file_system, sizeof(fsid_t)) == 0;
}

/* Asked once: later it can only get below the root as part of what appears there, and that counts with all
 * that is in it. */
static enum place place_of(const struct watched_root *root, const struct identity *identity)
{
	CLEANUP(memory_release) char *below = NULL;

	if (table_find(&root->changes.directories, &identity->key, identity->length) != NULL)
		return PLACE_INSIDE;
	return find_place(root, &identity->key, identity->length, &below);
}

static bool still_exists(const struct table_entry *entry, void *data)
{
	struct stat status;

	return path_watch_stat(data, entry->key, entry->length, &status) == 0 &&
	       status.st_nlink > 0;
}

static void note_file(struct watched_root *root, const struct identity *file)
{
	if (file->length == 0)
		return;
	if (root->changes.files.count >= CHANGED_FILES_MAX)
		table_filter(&root->changes.files, still_exists, root);
	path_changes_add_file(&root->changes, &file->key, file->length);
}

/* `file`: what was changed under this name, where it is not the name itself. It may have others, and live
 * on by them when the directory has gone. */
static void note_name(struct path_watch *watch, const struct identity *identity, const char *name,
		      bool appeared, const struct identity *file)
{
	bool stranger = true;

	if (table_find(&watch->strangers, &identity->key, identity->length) != NULL)
		return;
	for (size_t i = 0; i < watch->count; i++) {
		struct watched_root *root = &watch->roots[i];
		enum place place = is_of(root, identity) ? place_of(root, identity) : PLACE_OUTSIDE;

		if (place == PLACE_OUTSIDE)
			continue;
		stranger = false;
		if (place == PLACE_INSIDE)
			path_changes_add(&root->changes, &identity->key, identity->length, name,
					 appeared);
		note_file(root, file);
	}
	if (!stranger)
		return;
	if (watch->strangers.count >= STRANGERS_MAX)
		table_release(&watch->strangers);
	table_add(&watch->strangers, &identity->key, identity->length);
}

static void lose(struct path_watch *watch, const char *reason)
{
	for (size_t i = 0; i < watch->count; i++)
		path_changes_lose(&watch->roots[i].changes, reason);
}

/* What an event tells about: the directory and its name there, or only the file. */
struct subject {
	struct identity directory;
	const char *name;
	struct identity file;
};

static void read_subject(const struct fanotify_event_metadata *event, struct subject *subject)
{
	const char *at = (const char *)event + event->metadata_len;
	const char *end = (const char *)event + event->event_len;

	*subject = (struct subject){ 0 };
	while (at + sizeof(struct fanotify_event_info_fid) <= end) {
		const struct fanotify_event_info_fid *info = (const void *)at;
		size_t handle = offsetof(struct fanotify_event_info_fid, fsid);
		struct identity identity = { 0 };

		if (info->hdr.len == 0 || !identify(info, &identity))
			return;
		if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_FID) {
			subject->file = identity;
		} else {
			subject->directory = identity;
			if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME)
				subject->name = at + handle + identity.length;
		}
		at += info->hdr.len;
	}
}

static void note_event(struct path_watch *watch, const struct fanotify_event_metadata *event)
{
	static const struct identity none;
	bool directory = (event->mask & FAN_ONDIR) != 0;
	struct subject subject;

	if ((event->mask & FAN_Q_OVERFLOW) != 0) {
		lose(watch, "the kernel's queue of changes overflowed");
		return;
	}
	read_subject(event, &subject);
	/* Without a directory it is about a count of names: what became of the names is told beside it. */
	if (subject.directory.length == 0)
		return;
	note_name(watch, &subject.directory, subject.name,
		  directory && (event->mask & APPEARING) != 0,
		  !directory && (event->mask & CHANGING) != 0 ? &subject.file : &none);
}

/* Returns false when there is no more. */
static bool read_events(struct path_watch *watch)
{
	_Alignas(struct fanotify_event_metadata) char bytes[READ_SIZE];
	ssize_t length = read(watch->fd, bytes, sizeof(bytes));
	const struct fanotify_event_metadata *event = (const void *)bytes;

	if (length < 0 && errno != EAGAIN && errno != EINTR)
		lose(watch, "the kernel's queue of changes cannot be read");
	if (length <= 0)
		return length < 0 && errno == EINTR;
	for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length))
		note_event(watch, event);
	return true;
}

/* A wait_check. */
static int check_events(void *data, struct error *err)
{
	(void)err;
	read_events(data);
	return 0;
}

static int add_root(struct path_watch *watch, const char *path, struct error *err)
{
	struct watched_root *root = &watch->roots[watch->count];
	char canonical[PATH_MAX];
	struct statfs file_system;

	*root = (struct watched_root){ .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (root->fd < 0 || fstatfs(root->fd, &file_system) < 0 ||
	    path_of_descriptor(root->fd, canonical, sizeof(canonical)) < 0) {
		descriptor_close(&root->fd);
		return error_system(err, "cannot open '%s'", path);
	}
	root->path = memory_duplicate(canonical);
	root->file_system = file_system.f_fsid;
	watch->count++;
	return 0;
}

static int record(const struct path_watch *watch, const struct watched_root *root,
		  struct error *err)
{
	int mounted = mounts_below(root->path, err);

	if (mounted < 0)
		return -1;
	if (mounted > 0)
		return error_set(err, "a file system is mounted below '%s'", root->path);
	if (fanotify_mark(watch->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, EVENTS, root->fd, NULL) <
	    0)
		return error_system(err, "the file system of '%s' cannot be watched", root->path);
	return 0;
}

int path_watch_open(struct path_watch *watch, const char *const *paths, size_t count,
		    struct error *err)
{
	*watch = (struct path_watch)PATH_WATCH_NONE;
	for (size_t i = 0; i < count && i < PATH_WATCH_ROOTS; i++)
		if (add_root(watch, paths[i], err) < 0)
			return -1;
	return 0;
}

int path_watch_begin(struct path_watch *watch, struct error *err)
{
	watch->fd =
		fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE |
				      FAN_REPORT_FID | FAN_REPORT_DFID_NAME,
			      O_RDONLY | O_CLOEXEC);
	if (watch->fd < 0)
		return error_system(err, "the kernel does not report changes of files");
	for (size_t i = 0; i < watch->count; i++)
		if (record(watch, &watch->roots[i], err) < 0) {
			descriptor_close(&watch->fd);
			return -1;
		}
	watch->watch = wait_watch(watch->fd, WATCH_INTERVAL_MS, check_events, watch);
	return 0;
}

void path_watch_catch_up(struct path_watch *watch)
{
	struct error ignored;

	if (watch->fd < 0)
		lose(watch, "changes are not recorded");
	while (watch->fd >= 0 && read_events(watch))
		;
	for (size_t i = 0; i < watch->count; i++)
		if (mounts_below(watch->roots[i].path, &ignored) != 0)
			path_changes_lose(&watch->roots[i].changes,
					  "a file system was mounted below it");
}

void path_watch_release(struct path_watch *watch)
{
	if (watch->watch >= 0)
		wait_unwatch(watch->watch);
	for (size_t i = 0; i < watch->count; i++) {
		descriptor_close(&watch->roots[i].fd);
		free(watch->roots[i].path);
		path_changes_release(&watch->roots[i].changes);
	}
	table_release(&watch->strangers);
	descriptor_close(&watch->fd);
	*watch = (struct path_watch)PATH_WATCH_NONE;
}
