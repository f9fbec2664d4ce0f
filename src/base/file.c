// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for durable files and for making, renaming and removing directories. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/offload.h"

int file_read(const char *path, size_t limit, struct text *content, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char bytes[16384];
	ssize_t got;

	if (fd < 0)
		return error_system(err, "cannot open '%s'", path);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
		if (content->length + (size_t)got > limit)
			return error_set(err, "'%s' has more than %zu bytes", path, limit);
		text_append(content, bytes, (size_t)got);
	}
	return got < 0 ? error_system(err, "cannot read '%s'", path) : 0;
}

int file_put(const char *path, const char *value, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t length = strlen(value);

	if (fd < 0 || write(fd, value, length) != (ssize_t)length)
		return error_system(err, "cannot write '%s' into '%s'", value, path);
	return 0;
}

int file_sync_directory(const char *path, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_system(err, "cannot sync directory '%s'", path);
	return 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno != EINTR)
			return -1;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

int file_write(const char *path, const struct text *content, mode_t mode, struct error *err)
{
	CLEANUP(memory_release) char *parent = file_parent(path);
	CLEANUP(memory_release) char *temporary = memory_format("%s.new", path);
	CLEANUP(descriptor_close) int fd = -1;

	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return error_system(err, "cannot make '%s'", temporary);
	if (fchmod(fd, mode) < 0 || write_all(fd, text_string(content), content->length) < 0 ||
	    fsync(fd) < 0 || rename(temporary, path) < 0) {
		error_system(err, "cannot write '%s'", path);
		unlink(temporary);
		return -1;
	}
	return file_sync_directory(parent, err);
}

bool file_exists(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0;
}

bool file_is_named(int fd, const char *path)
{
	struct stat open_file;
	struct stat named;

	return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
	       open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

int file_make_directory(const char *path, mode_t mode, struct error *err)
{
	struct stat info;

	if (mkdir(path, mode) == 0)
		return chmod(path, mode) == 0 ? 1 : error_system(err, "cannot chmod '%s'", path);
	if (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
		return 0;
	return error_system(err, "cannot make directory '%s'", path);
}

int file_rename(const char *from, const char *to, struct error *err)
{
	CLEANUP(memory_release) char *from_parent = file_parent(from);
	CLEANUP(memory_release) char *to_parent = file_parent(to);

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		return error_system(err, "cannot rename '%s' to '%s'", from, to);
	if (file_sync_directory(to_parent, err) < 0)
		return -1;
	return strcmp(from_parent, to_parent) == 0 ? 0 : file_sync_directory(from_parent, err);
}

static int remove_entry(int directory, const char *name, struct error *err);

static int remove_children(int directory, const char *name, struct error *err)
{
	int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	int result = 0;
	DIR *stream;

	if (fd < 0)
		return error_system(err, "cannot open directory '%s'", name);
	stream = fdopendir(fd);
	if (stream == NULL) {
		close(fd);
		return error_system(err, "cannot read directory '%s'", name);
	}
	while (result == 0 && (entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		/* Most are plain files, and most of those just go: what is mounted stays (EBUSY). */
		if (entry->d_type != DT_REG || unlinkat(fd, entry->d_name, 0) < 0)
			result = remove_entry(fd, entry->d_name, err);
	}
	closedir(stream);
	return result;
}

static int remove_entry(int directory, const char *name, struct error *err)
{
	struct statx info;

	if (statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &info) < 0) {
		if (errno == ENOENT)
			return 0;
		return error_system(err, "cannot look at '%s'", name);
	}
	if ((info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
		return error_set(err, "a file system is mounted at '%s'", name);
	if (S_ISDIR(info.stx_mode)) {
		if (remove_children(directory, name, err) < 0)
			return error_context(err, "%s", name);
		if (unlinkat(directory, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return error_system(err, "cannot remove directory '%s'", name);
		return 0;
	}
	if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
		return error_system(err, "cannot remove '%s'", name);
	return 0;
}

static int remove_all(const void *path, struct error *err)
{
	return remove_entry(AT_FDCWD, path, err);
}

int file_remove_tree(const char *path, struct error *err)
{
	if (!file_exists(path))
		return 0;
	if (offload(remove_all, path, err) < 0)
		return error_context(err, "cannot remove the tree '%s'", path);
	return 0;
}

char *file_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return memory_duplicate(".");
	if (slash == path)
		return memory_duplicate("/");
	return memory_format("%.*s", (int)(slash - path), path);
}

bool file_path_is_plain(const char *path)
{
	const char *at = path;

	if (*path != '/' || path[1] == '\0' || strlen(path) >= 4096)
		return false;
	while (*at == '/') {
		size_t length = strcspn(++at, "/");

		if (length == 0 || (length == 1 && at[0] == '.') ||
		    (length == 2 && at[0] == '.' && at[1] == '.') || length > 255)
			return false;
		at += length;
	}
	return true;
}

bool file_path_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/');
}
