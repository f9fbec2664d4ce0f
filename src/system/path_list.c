// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for making rsync's list of what changed from handles, names and inodes. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "system/path_list.h"

/* The number of an inode's entry: how many names it has, how many of them are listed, and whether its
 * content must be compared whatever its time says. */
#define NAME_LISTED ((uint64_t)1 << 32)
#define COMPARE ((uint64_t)1 << 63)
#define NAMES_EXPECTED(number) ((uint32_t)(number))
#define NAMES_LISTED(number) ((uint32_t)((number) >> 32) & 0x7fffffff)

static int64_t modified(const struct stat *status)
{
	return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

/* "." and "a" make "a"; "a" and "b" make "a/b". The caller frees. */
static char *join(const char *directory, const char *name)
{
	return strcmp(directory, ".") == 0 ? memory_duplicate(name)
					   : memory_format("%s/%s", directory, name);
}

static char *full_path(const struct path_list *list, const char *path)
{
	return memory_format("%s/%s", list->root->path, path);
}

static void add_line(struct text *text, const char *path)
{
	text_append(text, path, strlen(path) + 1);
}

static void add_directory_with_entries(struct path_list *list, const char *path)
{
	text_append(&list->paths, path, strlen(path));
	add_line(&list->paths, "/");
}

static struct table_entry *inode_of(struct path_list *list, const struct stat *status, bool make)
{
	const ino_t inode = status->st_ino;
	struct table_entry *entry;

	if (!make)
		return table_find(&list->inodes, &inode, sizeof(inode));
	entry = table_add(&list->inodes, &inode, sizeof(inode));
	if (entry->number == 0)
		entry->number = (uint32_t)status->st_nlink;
	return entry;
}

/* A file that is there. Are all of its names listed? That is known at the end. */
static void add_file(struct path_list *list, const char *path, const struct stat *status)
{
	struct table_entry *inode = inode_of(list, status, status->st_nlink > 1);
	bool compare = status->st_size <= PATH_LIST_SMALL || modified(status) <= list->last_pass;
	struct table_entry *name;

	if (inode != NULL) {
		compare = compare || (inode->number & COMPARE) != 0;
		name = table_add(&list->names, path, strlen(path));
		if (name->number == 0)
			inode->number += NAME_LISTED;
		name->number = 1;
	}
	add_line(&list->paths, path);
	if (compare && S_ISREG(status->st_mode))
		add_line(&list->compared, path);
}

/* A directory that appeared, with all that is in it. Each is read once, however often it is named. */
static int add_tree(struct path_list *list, const char *path, struct error *err)
{
	CLEANUP(memory_release) char *full = full_path(list, path);
	struct table_entry *known = table_add(&list->trees, path, strlen(path));
	struct dirent *entry;
	DIR *directory;
	int result = 0;

	if (known->number != 0)
		return 0;
	known->number = 1;
	add_directory_with_entries(list, path);
	directory = opendir(full);
	/* While the container runs it may have gone again. */
	if (directory == NULL)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_system(err, "cannot read '%s'", full);
	while (result == 0 && (entry = readdir(directory)) != NULL) {
		CLEANUP(memory_release) char *below = NULL;
		CLEANUP(memory_release) char *file = NULL;
		struct stat status;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		below = join(path, entry->d_name);
		file = full_path(list, below);
		if (lstat(file, &status) < 0)
			continue;
		if (S_ISDIR(status.st_mode))
			result = add_tree(list, below, err);
		else
			add_file(list, below, &status);
	}
	closedir(directory);
	return result;
}

static int add_path(struct path_list *list, const char *path, bool appeared, struct error *err)
{
	CLEANUP(memory_release) char *full = full_path(list, path);
	struct stat status;

	if (lstat(full, &status) < 0 || (S_ISDIR(status.st_mode) && !appeared)) {
		if (!list->only_made)
			add_line(&list->paths, path);
		return 0;
	}
	if (S_ISDIR(status.st_mode))
		return add_tree(list, path, err);
	add_file(list, path, &status);
	return 0;
}

/* All entries of a directory, and not what is in the directories among them. */
static int add_entries(struct path_list *list, const char *path, struct error *err)
{
	CLEANUP(memory_release) char *full = full_path(list, path);
	DIR *directory = opendir(full);
	struct dirent *entry;
	int result = 0;

	add_directory_with_entries(list, path);
	while (directory != NULL && result == 0 && (entry = readdir(directory)) != NULL) {
		CLEANUP(memory_release) char *below = join(path, entry->d_name);

		if (entry->d_type != DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			result = add_path(list, below, false, err);
	}
	if (directory != NULL)
		closedir(directory);
	return result;
}

static bool is_at_home(const struct path_list *list, const char *path)
{
	CLEANUP(memory_release) char *full = full_path(list, path);

	return file_path_below(strcmp(path, ".") == 0 ? list->root->path : full, list->home);
}

static int add_changed(struct path_list *list, const struct table_entry *changed, struct error *err)
{
	CLEANUP(memory_release)
	char *path = list->resolve(list->root, changed->key, changed->length);
	const struct changed_directory *directory = path_changes_of(changed);
	struct table_entry *name;
	size_t at = 0;

	/* Where it went, or was removed, its name changed in a directory above. */
	if (path == NULL || (list->only_made && !is_at_home(list, path)))
		return 0;
	if (directory->whole) {
		if (add_entries(list, path, err) < 0)
			return -1;
	} else if (!list->only_made) {
		add_line(&list->paths, path);
	}
	while ((name = table_next(&directory->names, &at)) != NULL) {
		CLEANUP(memory_release) char *below = join(path, name->key);

		if (add_path(list, below, name->number != 0, err) < 0)
			return -1;
	}
	return 0;
}

/* A file without a name that is known. */
static void add_inode(struct path_list *list, const struct stat *status, bool compare)
{
	struct table_entry *entry = inode_of(list, status, true);

	if (compare)
		entry->number |= COMPARE;
}

static void add_changed_files(struct path_list *list)
{
	const struct table *files = &list->root->changes.files;
	struct table_entry *entry;
	struct stat status;
	size_t at = 0;

	while ((entry = table_next(files, &at)) != NULL)
		if (list->find(list->root, entry->key, entry->length, &status) == 0 &&
		    status.st_nlink > 0)
			add_inode(list, &status, false);
}

/* Where the process says it is, in the tree? NULL: not there. The caller frees. */
static char *find_open(const struct path_list *list, const struct open_file *file)
{
	CLEANUP(memory_release) char *full = memory_format("%s%s", list->home, file->path);
	struct stat status;

	if (!file_path_is_plain(full) || !file_path_below(full, list->root->path) ||
	    strcmp(full, list->root->path) == 0 || lstat(full, &status) < 0 ||
	    status.st_dev != file->status.st_dev || status.st_ino != file->status.st_ino)
		return NULL;
	return memory_duplicate(full + strlen(list->root->path) + 1);
}

/* Once more than quick: mapped ones, and those that were written between the begin of the recording and
 * the end of the last pass, but for databases' many files that are open and idle. */
static void add_open(struct path_list *list, const struct open_file *file)
{
	CLEANUP(memory_release) char *path = find_open(list, file);
	int64_t time = modified(&file->status);

	if (file->mapped)
		add_inode(list, &file->status, true);
	if (path == NULL) {
		add_inode(list, &file->status, file->mapped);
		return;
	}
	if (file->mapped || time >= list->begun)
		add_file(list, path, &file->status);
	else
		add_line(&list->paths, path);
}

static void add_all_open(struct path_list *list, const struct open_files *open)
{
	struct stat status;

	if (open == NULL || lstat(list->root->path, &status) < 0)
		return;
	for (size_t i = 0; i < open->count; i++)
		if (open->items[i].status.st_dev == status.st_dev)
			add_open(list, &open->items[i]);
}

static bool lacks_names(const struct table_entry *entry, void *data)
{
	(void)data;
	return NAMES_LISTED(entry->number) != NAMES_EXPECTED(entry->number);
}

/* Reads all names below the path for the inodes that lack some. No inode is touched: that makes it
 * fast. */
static int walk(struct path_list *list, const char *path, struct error *err)
{
	CLEANUP(memory_release) char *full = full_path(list, path);
	DIR *directory = opendir(full);
	struct dirent *entry;
	int result = 0;

	if (directory == NULL)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_system(err, "cannot read '%s'", full);
	while (result == 0 && (entry = readdir(directory)) != NULL) {
		CLEANUP(memory_release) char *below = NULL;
		const ino_t inode = entry->d_ino;
		struct table_entry *wanted;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		wanted = table_find(&list->inodes, &inode, sizeof(inode));
		if (entry->d_type != DT_DIR && wanted == NULL)
			continue;
		below = join(path, entry->d_name);
		if (entry->d_type == DT_DIR)
			result = walk(list, below, err);
		else
			result = add_path(list, below, false, err);
	}
	closedir(directory);
	return result;
}

static int add_missing_names(struct path_list *list, struct error *err)
{
	table_filter(&list->inodes, lacks_names, NULL);
	if (list->inodes.count == 0)
		return 0;
	list->walked = true;
	return walk(list, ".", err);
}

int path_list_make(struct path_list *list, const struct open_files *open, struct error *err)
{
	const struct path_changes *changes = &list->root->changes;
	struct table_entry *entry;
	size_t at = 0;

	if (changes->lost != NULL)
		return error_set(err, "%s", changes->lost);
	add_changed_files(list);
	add_all_open(list, open);
	while ((entry = table_next(&changes->directories, &at)) != NULL)
		if (add_changed(list, entry, err) < 0)
			return -1;
	return add_missing_names(list, err);
}

int path_list_make_open(struct path_list *list, const struct open_files *open, struct error *err)
{
	add_all_open(list, open);
	return add_missing_names(list, err);
}

void path_list_release(struct path_list *list)
{
	text_release(&list->paths);
	text_release(&list->compared);
	table_release(&list->trees);
	table_release(&list->inodes);
	table_release(&list->names);
}
