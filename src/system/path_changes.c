// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for remembering which paths changed, in bounded memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "system/path_changes.h"

struct changed_directory *path_changes_of(const struct table_entry *entry)
{
	return (struct changed_directory *)(uintptr_t)entry->number;
}

static struct changed_directory *directory_of(struct path_changes *changes, const void *handle,
					      size_t length)
{
	struct table_entry *entry = table_add(&changes->directories, handle, length);

	if (entry->number == 0)
		entry->number = (uintptr_t)memory_allocate(1, sizeof(struct changed_directory));
	return path_changes_of(entry);
}

static bool keeps_appeared(const struct table_entry *entry, void *data)
{
	(void)data;
	return entry->number != 0;
}

/* What appeared in it is remembered still: that nothing else may be below it is more than that all
 * names of this directory count. */
static void remember_as_whole(struct path_changes *changes, struct changed_directory *directory)
{
	changes->names -= directory->names.count;
	table_filter(&directory->names, keeps_appeared, NULL);
	changes->names += directory->names.count;
	directory->whole = true;
}

void path_changes_add(struct path_changes *changes, const void *directory, size_t length,
		      const char *name, bool appeared)
{
	struct changed_directory *changed;
	struct table_entry *entry;
	size_t before;

	if (changes->lost != NULL)
		return;
	changed = directory_of(changes, directory, length);
	if (changes->directories.count > CHANGED_DIRECTORIES_MAX) {
		path_changes_lose(changes, "too many directories changed to remember them");
		return;
	}
	if (name == NULL || strcmp(name, ".") == 0 || (changed->whole && !appeared))
		return;
	before = changed->names.count;
	entry = table_add(&changed->names, name, strlen(name));
	if (appeared)
		entry->number = 1;
	changes->names += changed->names.count - before;
	if (changed->whole || changed->names.count > before) {
		if (changed->names.count > CHANGED_NAMES_MAX ||
		    changes->names > CHANGED_NAMES_TOTAL_MAX)
			remember_as_whole(changes, changed);
		if (changes->names > (size_t)2 * CHANGED_NAMES_TOTAL_MAX)
			path_changes_lose(changes, "too many paths changed to remember them");
	}
}

void path_changes_add_file(struct path_changes *changes, const void *file, size_t length)
{
	if (changes->lost != NULL)
		return;
	table_add(&changes->files, file, length)->number = 1;
	if (changes->files.count > CHANGED_FILES_MAX)
		path_changes_lose(changes, "too many files changed to remember them");
}

static void forget(struct path_changes *changes)
{
	struct table_entry *entry;
	size_t at = 0;

	while ((entry = table_next(&changes->directories, &at)) != NULL) {
		struct changed_directory *changed = path_changes_of(entry);

		table_release(&changed->names);
		free(changed);
	}
	table_release(&changes->directories);
	table_release(&changes->files);
	changes->names = 0;
}

void path_changes_lose(struct path_changes *changes, const char *reason)
{
	if (changes->lost != NULL)
		return;
	changes->lost = reason;
	forget(changes);
}

void path_changes_release(struct path_changes *changes)
{
	forget(changes);
	changes->lost = NULL;
}
