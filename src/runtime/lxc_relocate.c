// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for which copied configuration files are rewritten on the destination. */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/fence.h"
#include "runtime/lxc.h"

/* What is being relocated: `in` is the copy of move.from_directory. */
struct relocation {
	struct lxc_move move;
	const char *to_root; /* a new lxc.rootfs.mount; NULL: as it is */
	const char *in;
};

static int relocate_config(const struct relocation *relocation, const char *path, int depth,
			   struct error *err);

/* Writes only what differs, with the mode that was there. */
static int replace(const char *path, const struct text *before, const struct text *after,
		   struct error *err)
{
	struct stat status;

	if (strcmp(text_string(before), text_string(after)) == 0)
		return 0;
	if (stat(path, &status) < 0)
		return error_system(err, "cannot read '%s'", path);
	return file_write(path, after, status.st_mode & 07777, err);
}

static int relocate_mounts(const struct relocation *relocation, const char *path, struct error *err)
{
	CLEANUP(text_release) struct text before = { 0 };
	CLEANUP(text_release) struct text after = { 0 };

	if (file_read(path, LXC_CONFIG_SIZE_MAX, &before, err) < 0)
		return -1;
	lxc_config_rewrite_mounts(text_string(&before), &relocation->move, &after);
	return replace(path, &before, &after, err);
}

static int relocate_directory(const struct relocation *relocation, const char *path, int depth,
			      struct error *err)
{
	CLEANUP(words_release) struct words files = { 0 };

	if (lxc_config_directory(path, &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++)
		if (relocate_config(relocation, files.items[i], depth, err) < 0)
			return -1;
	return 0;
}

/* The value of a line "KEY = VALUE", or NULL; the line is changed. */
static char *value_of(char *line, const char *key)
{
	char *equals = strchr(line, '=');

	if (equals == NULL)
		return NULL;
	*equals = '\0';
	return strcmp(text_strip(line), key) == 0 ? text_strip(equals + 1) : NULL;
}

/* A file that a line names, when it was copied with the directory. */
static int relocate_named(const struct relocation *relocation, const char *value, bool mounts,
			  int depth, struct error *err)
{
	CLEANUP(memory_release) char *path = NULL;
	struct stat status;

	if (!file_path_is_plain(value) || !file_path_below(value, relocation->move.from_directory))
		return 0;
	path = memory_format("%s%s", relocation->in,
			     value + strlen(relocation->move.from_directory));
	if (stat(path, &status) < 0)
		return error_system(err, "cannot read '%s'", path);
	if (mounts)
		return relocate_mounts(relocation, path, err);
	if (S_ISDIR(status.st_mode))
		return relocate_directory(relocation, path, depth, err);
	return relocate_config(relocation, path, depth, err);
}

static int relocate_config(const struct relocation *relocation, const char *path, int depth,
			   struct error *err)
{
	CLEANUP(text_release) struct text before = { 0 };
	CLEANUP(text_release) struct text after = { 0 };
	char *rest;

	if (depth > LXC_CONFIG_DEPTH_MAX)
		return error_set(err, "includes are nested more than %d deep at '%s'",
				 LXC_CONFIG_DEPTH_MAX, path);
	if (file_read(path, LXC_CONFIG_SIZE_MAX, &before, err) < 0)
		return -1;
	lxc_config_rewrite(text_string(&before), &relocation->move, &after);
	if (replace(path, &before, &after, err) < 0)
		return -1;
	rest = before.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		CLEANUP(memory_release) char *again = memory_duplicate(line);
		const char *include = value_of(line, "lxc.include");
		const char *mounts = value_of(again, "lxc.mount.fstab");

		if (include != NULL &&
		    relocate_named(relocation, include, false, depth + 1, err) < 0)
			return -1;
		if (mounts != NULL && relocate_named(relocation, mounts, true, depth + 1, err) < 0)
			return -1;
	}
	return 0;
}

/* What an included file may have said before is overruled at the end of the container's own. */
static int add_root(const struct relocation *relocation, const char *path, struct error *err)
{
	CLEANUP(text_release) struct text before = { 0 };
	CLEANUP(text_release) struct text after = { 0 };

	if (relocation->to_root == NULL)
		return 0;
	if (file_read(path, LXC_CONFIG_SIZE_MAX, &before, err) < 0)
		return -1;
	text_format(&after, "%s\nlxc.rootfs.mount = %s\n", text_string(&before),
		    relocation->to_root);
	return replace(path, &before, &after, err);
}

int lxc_rewrite(const struct container *from, const struct container *to, const char *in,
		struct error *err)
{
	CLEANUP(memory_release) char *config = lxc_config_path(in);
	struct relocation relocation = {
		.move = {
			.from_id = from->id,
			.to_id = to->id,
			.from_directory = from->directory,
			.to_directory = to->directory,
			.from_private_area = from->private_area,
			.to_private_area = to->private_area,
		},
		.in = in,
	};

	if (to->root != NULL && (from->root == NULL || strcmp(from->root, to->root) != 0))
		relocation.to_root = to->root;
	if (config == NULL)
		return error_set(err, "container '%s' came without its configuration", to->id);
	if (relocate_config(&relocation, config, 0, err) < 0 ||
	    add_root(&relocation, config, err) < 0)
		return error_context(err, "cannot adapt the configuration of container '%s'",
				     to->id);
	/* What stopped before the last pass was fenced by then; its copy is not to be. */
	return fence_lower(in, LXC_CONFIG_NAME, err);
}
