// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for measuring a tree of files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/offload.h"
#include "base/text.h"
#include "system/tree_usage.h"

#define BLOCK 512 /* of st_blocks, whatever the file system's own are */
#define ATTRIBUTES_SIZE 65536

/* The inodes with several names that were seen: an open hash. */
struct seen {
	struct inode {
		dev_t device;
		ino_t number; /* 0: free */
	} * items;
	size_t size; /* a power of two */
	size_t count;
};

struct walk {
	const char *path;
	struct tree_usage *usage; /* shared with the parent */
	struct seen seen;
	char attributes[ATTRIBUTES_SIZE];
};

static struct inode *find_place(const struct seen *seen, dev_t device, ino_t number)
{
	size_t at = (size_t)(number * 0x9e3779b97f4a7c15U >> 20) & (seen->size - 1);

	while (seen->items[at].number != 0 &&
	       (seen->items[at].number != number || seen->items[at].device != device))
		at = (at + 1) & (seen->size - 1);
	return &seen->items[at];
}

static void grow(struct seen *seen)
{
	struct seen larger = { .size = seen->size > 0 ? seen->size * 2 : 256 };

	larger.items = memory_allocate(larger.size, sizeof(*larger.items));
	for (size_t i = 0; i < seen->size; i++)
		if (seen->items[i].number != 0)
			*find_place(&larger, seen->items[i].device, seen->items[i].number) =
				seen->items[i];
	larger.count = seen->count;
	free(seen->items);
	*seen = larger;
}

/* Is it another name of a file that was counted? */
static bool seen_before(struct seen *seen, const struct stat *status)
{
	struct inode *place;

	if (seen->count * 2 >= seen->size)
		grow(seen);
	place = find_place(seen, status->st_dev, status->st_ino);
	if (place->number != 0)
		return true;
	*place = (struct inode){ status->st_dev, status->st_ino };
	seen->count++;
	return false;
}

static void note_attributes(struct walk *walk, int directory, const char *name)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/self/fd/%d/%s", directory, name);
	ssize_t length = llistxattr(path, walk->attributes, sizeof(walk->attributes));

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(walk->attributes + at) + 1) {
		const char *attribute = walk->attributes + at;

		if (strncmp(attribute, "system.posix_acl_", 17) == 0)
			walk->usage->acls = true;
		else if (strncmp(attribute, "user.", 5) == 0 ||
			 strncmp(attribute, "trusted.", 8) == 0)
			walk->usage->attributes = true;
	}
}

static void count_file(struct walk *walk, int directory, const char *name,
		       const struct stat *status)
{
	if (!S_ISDIR(status->st_mode) && status->st_nlink > 1 && seen_before(&walk->seen, status))
		return;
	walk->usage->bytes += (int64_t)status->st_blocks * BLOCK;
	walk->usage->files++;
	if (!walk->usage->acls || !walk->usage->attributes)
		note_attributes(walk, directory, name);
}

static int compare_names(const void *one, const void *other)
{
	return strcasecmp(*(char *const *)one, *(char *const *)other);
}

static void note_case(struct walk *walk, struct words *names)
{
	if (names->count < 2 || walk->usage->case_pairs)
		return;
	qsort(names->items, names->count, sizeof(*names->items), compare_names);
	for (size_t i = 1; i < names->count; i++)
		if (strcasecmp(names->items[i - 1], names->items[i]) == 0)
			walk->usage->case_pairs = true;
}

static int walk_directory(struct walk *walk, int parent, const char *name, struct error *err);

static int walk_entries(struct walk *walk, DIR *stream, struct error *err)
{
	CLEANUP(words_release) struct words names = { 0 };
	int directory = dirfd(stream);
	struct dirent *entry;

	while ((entry = readdir(stream)) != NULL) {
		struct stat status;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!walk->usage->case_pairs)
			words_add(&names, entry->d_name);
		count_file(walk, directory, entry->d_name, &status);
		if (S_ISDIR(status.st_mode) &&
		    walk_directory(walk, directory, entry->d_name, err) < 0)
			return -1;
	}
	note_case(walk, &names);
	return 0;
}

static int walk_directory(struct walk *walk, int parent, const char *name, struct error *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	int result;

	if (stream == NULL) {
		int reason = errno;

		if (fd >= 0)
			close(fd);
		errno = reason;
		return reason == ENOENT ? 0 : error_system(err, "cannot read directory '%s'", name);
	}
	result = walk_entries(walk, stream, err);
	closedir(stream);
	return result;
}

static int run_walk(const void *data, struct error *err)
{
	const struct walk *order = data;
	struct walk *walk = memory_allocate(1, sizeof(*walk));
	int result;

	walk->path = order->path;
	walk->usage = order->usage;
	walk->usage->files = 1;
	result = walk_directory(walk, AT_FDCWD, walk->path, err);
	free(walk->seen.items);
	free(walk);
	return result;
}

int tree_measure(const char *path, struct tree_usage *usage, struct error *err)
{
	struct tree_usage *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct walk order = { .path = path, .usage = shared };
	int result;

	if (shared == MAP_FAILED)
		return error_system(err, "cannot get memory");
	result = offload(run_walk, &order, err);
	if (result < 0)
		error_context(err, "cannot measure '%s'", path);
	*usage = *shared;
	munmap(shared, sizeof(*shared));
	return result;
}
