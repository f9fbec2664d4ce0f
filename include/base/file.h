/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and directories, so that what is reported as done survives a power cut: whole files are
 * written under a temporary name, synced and renamed, and their directory is synced.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

/* Reads all of it; more than `limit` bytes is an error. errno tells the reason (ENOENT…). */
int file_read(const char *path, size_t limit, struct text *content, struct error *err);

/* Replaces or makes the file, atomically and durably. */
int file_write(const char *path, const struct text *content, mode_t mode, struct error *err);

/* Writes a value into a file that the kernel serves, in one call. errno tells the reason. */
int file_put(const char *path, const char *value, struct error *err);

/* Makes the names in a directory durable. */
int file_sync_directory(const char *path, struct error *err);

bool file_exists(const char *path); /* anything of that name, a dangling link too */

/* Is the open file the one that has this name now? */
bool file_is_named(int fd, const char *path);

/* Makes one directory; returns 1, or 0 when a directory of that name was there. */
int file_make_directory(const char *path, mode_t mode, struct error *err);

/* Renames, never over something that exists (errno EEXIST then), and syncs both directories. */
int file_rename(const char *from, const char *to, struct error *err);

/*
 * Removes a tree and everything in it, never following a symbolic link. Nothing there is success.
 * A file system mounted inside is an error, found before it is entered.
 */
int file_remove_tree(const char *path, struct error *err);

/* Everything above the last component ("/" at the top); the caller frees. */
char *file_parent(const char *path);

/* Is `path` absolute, without empty, "." and ".." components, and not "/"? For paths that a peer or
 * a journal names. */
bool file_path_is_plain(const char *path);

/* Is `path` below `directory` (or the same)? Both plain. */
bool file_path_below(const char *path, const char *directory);

#endif
