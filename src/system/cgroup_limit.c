// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for setting limits of a cgroup of v2. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "system/cgroup_limit.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* That of the name "memory.max" is "memory". */
static size_t controller_length(const char *name)
{
	return strcspn(name, ".");
}

bool cgroup_limit_has_name(const char *name)
{
	size_t length = controller_length(name);

	return length > 0 && name[length] == '.' && name[length + 1] != '\0' &&
	       name[strspn(name, NAME_CHARACTERS)] == '\0' && !text_starts_with(name, "cgroup.");
}

/* From the root down. What fails shows in the file that is missing then. */
static void hand_down(const char *path, const char *name)
{
	CLEANUP(memory_release)
	char *word = memory_format("+%.*s", (int)controller_length(name), name);
	struct error ignored;

	for (const char *end = path + strlen(CGROUP_ROOT); *end == '/';
	     end += 1 + strcspn(end + 1, "/")) {
		CLEANUP(memory_release)
		char *file = memory_format("%.*s/cgroup.subtree_control", (int)(end - path), path);

		file_put(file, word, &ignored);
	}
}

int cgroup_limit_set(const char *path, const char *name, const char *value, struct error *err)
{
	CLEANUP(memory_release) char *file = memory_format("%s/%s", path, name);

	if (!text_starts_with(path, CGROUP_ROOT "/") || !file_path_is_plain(path))
		return error_set(err, "'%s' is no cgroup", path);
	if (!cgroup_limit_has_name(name))
		return error_set(err, "'%s' is no limit of a cgroup", name);
	if (!file_exists(file))
		hand_down(path, name);
	return file_put(file, value, err);
}
