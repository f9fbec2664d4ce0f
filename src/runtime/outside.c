// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what in a container's description is outside of it: which paths, and how they are
 * written. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/outside.h"

static const char *const kernel_types[] = {
	"proc",	   "sysfs",	"tmpfs",      "ramfs",	     "devpts",	 "devtmpfs", "mqueue",
	"cgroup",  "cgroup2",	"securityfs", "debugfs",     "tracefs",	 "pstore",   "bpf",
	"fusectl", "hugetlbfs", "configfs",   "binfmt_misc", "efivarfs", "overlay",
};

bool outside_is_kernel_type(const char *type)
{
	for (size_t i = 0; i < COUNT_OF(kernel_types); i++)
		if (strcmp(type, kernel_types[i]) == 0)
			return true;
	return false;
}

/* Without empty and "." components; NULL when a ".." makes it say less than it seems. */
static char *clean_path(const char *path)
{
	struct text clean = { 0 };

	while (*path != '\0') {
		size_t length = strcspn(path, "/");

		if (length == 2 && strncmp(path, "..", 2) == 0) {
			text_release(&clean);
			return NULL;
		}
		if (length > 0 && !(length == 1 && *path == '.'))
			text_format(&clean, "/%.*s", (int)length, path);
		path += length;
		path += *path == '/';
	}
	if (clean.length == 0)
		text_append(&clean, "/", 1);
	return text_take(&clean);
}

static bool inside_private_area(const char *path, const struct container *container)
{
	char resolved[PATH_MAX];

	return file_path_below(path, container->private_area) ||
	       (realpath(path, resolved) != NULL &&
		file_path_below(resolved, container->private_area));
}

static bool contains(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

int outside_add_mount(struct container *container, const char *source, struct error *err)
{
	CLEANUP(memory_release) char *path = clean_path(source);

	if (path == NULL || !file_path_is_plain(path))
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' has '%s' mounted into it, which cannot be "
				  "looked for on another node",
				  container->id, source);
	if (file_path_below(path, "/proc") || file_path_below(path, "/sys"))
		return 0;
	if (!inside_private_area(path, container) && !contains(&container->mount_sources, path))
		words_add(&container->mount_sources, path);
	return 0;
}

void outside_add_file(struct container *container, const char *file)
{
	CLEANUP(memory_release) char *path = file[0] == '/' ? clean_path(file) : NULL;

	if (path != NULL && file_path_is_plain(path) &&
	    !file_path_below(path, container->directory) &&
	    !file_path_below(path, container->private_area) &&
	    !contains(&container->includes, path))
		words_add(&container->includes, path);
}

int outside_refuse_device(const struct container *container, const char *source, struct error *err)
{
	return error_exit(err, EXIT_TECHNOLOGIES,
			  "container '%s' mounts the device '%s', whose content cannot be "
			  "migrated; remove the mount from its configuration",
			  container->id, source);
}
