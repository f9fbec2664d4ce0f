// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the directories of the copy on the destination: staged, then in place. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/offload.h"
#include "node/staging.h"
#include "node/undo.h"

/* Hidden, beside the final name: lxc-ls and autostart pass over it. */
static char *staging_name(const char *final)
{
	CLEANUP(memory_release) char *parent = file_parent(final);

	return memory_format("%s/.%s.vzmigrate", strcmp(parent, "/") == 0 ? "" : parent,
			     strrchr(final, '/') + 1);
}

static void add_area(struct areas *areas, const char *source, const char *final)
{
	areas->items[areas->count++] = (struct area){
		.source = memory_duplicate(source),
		.staging = staging_name(final),
		.final = memory_duplicate(final),
	};
}

void areas_plan(struct areas *areas, const struct container *from, const struct container *to)
{
	bool inside = file_path_below(from->private_area, from->directory);

	add_area(areas, from->directory, to->directory);
	if (inside && file_path_below(to->private_area, to->directory))
		return;
	add_area(areas, from->private_area, to->private_area);
	if (inside)
		areas->items[0].except =
			memory_duplicate(from->private_area + strlen(from->directory));
}

void areas_release(struct areas *areas)
{
	for (size_t i = 0; i < areas->count; i++) {
		free(areas->items[i].source);
		free(areas->items[i].staging);
		free(areas->items[i].final);
		free(areas->items[i].except);
	}
	*areas = (struct areas){ 0 };
}

json_object *areas_to_json(const struct areas *areas)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < areas->count; i++) {
		json_object *item = json_object_new_object();

		json_add_text(item, "source", areas->items[i].source);
		json_add_text(item, "staging", areas->items[i].staging);
		json_add_text(item, "final", areas->items[i].final);
		json_object_array_add(list, item);
	}
	return list;
}

int areas_from_json(struct areas *areas, json_object *list, struct error *err)
{
	for (size_t i = 0; i < json_object_array_length(list) && i < AREAS_MAX; i++) {
		json_object *item = json_object_array_get_idx(list, i);
		const char *source = json_get_path(item, "source", err);
		const char *staging = source != NULL ? json_get_path(item, "staging", err) : NULL;
		const char *final = staging != NULL ? json_get_path(item, "final", err) : NULL;
		CLEANUP(memory_release) char *expected = final != NULL ? staging_name(final) : NULL;

		if (final == NULL)
			return -1;
		if (strcmp(staging, expected) != 0)
			return error_set(err, "'%s' is no staging name of '%s'", staging, final);
		add_area(areas, source, final);
	}
	if (areas->count == 0)
		return error_set(err, "the message names no area");
	return 0;
}

static bool was_kept(const struct host *host, const char *path)
{
	for (size_t i = 0; i < host->kept.count; i++)
		if (strcmp(host->kept.items[i], path) == 0)
			return true;
	return false;
}

int staging_check(struct host *host, const struct areas *areas, struct error *err)
{
	for (size_t i = 0; i < areas->count; i++) {
		const struct area *area = &areas->items[i];

		if (file_exists(area->final))
			return error_exit(err, EXIT_EXISTS,
					  "'%s' exists: remove it, or migrate under another id",
					  area->final);
		if (file_exists(area->staging) && !was_kept(host, area->staging))
			return error_exit(err, EXIT_EXISTS,
					  "'%s' exists and is not of an earlier attempt with "
					  "this very container: look what it is, and remove it",
					  area->staging);
	}
	return 0;
}

/* Makes the directories above path that are missing, and notes which. */
static int make_parents(struct host *host, const char *path, struct error *err)
{
	CLEANUP(memory_release) char *parent = file_parent(path);

	if (file_exists(parent))
		return 0;
	if (make_parents(host, parent, err) < 0 ||
	    undo_push_path(host, UNDO_STAGING, undo_remove_directory, parent, err) < 0)
		return -1;
	return file_make_directory(parent, 0755, err) < 0 ? -1 : 0;
}

/* Where the private area lies until the switch. The caller frees. */
static char *staged_private_area(const struct host *host, const struct areas *areas)
{
	const char *path = host->container.private_area;

	for (size_t i = areas->count; i-- > 0;)
		if (file_path_below(path, areas->items[i].final))
			return memory_format("%s%s", areas->items[i].staging,
					     path + strlen(areas->items[i].final));
	return NULL;
}

/* The limit is there before the first file, which it counts. */
static int make_limited(struct host *host, const struct areas *areas, const struct quota *quota,
			struct error *err)
{
	CLEANUP(memory_release) char *path = staged_private_area(host, areas);

	if (!quota_is_set(quota))
		return 0;
	if (path == NULL)
		return error_set(err, "the private area '%s' is in no area",
				 host->container.private_area);
	if (make_parents(host, path, err) < 0 ||
	    undo_push_path(host, UNDO_STAGING, undo_remove_limited, path, err) < 0)
		return -1;
	return quota_make(path, quota, err);
}

int staging_make(struct host *host, const struct areas *areas, const struct quota *quota,
		 struct error *err)
{
	if (staging_check(host, areas, err) < 0)
		return -1;
	for (size_t i = 0; i < areas->count; i++) {
		const char *staging = areas->items[i].staging;
		int made;

		if (make_parents(host, staging, err) < 0 ||
		    undo_push_path(host, UNDO_STAGING, undo_remove_tree, staging, err) < 0)
			return -1;
		made = file_make_directory(staging, 0700, err);
		if (made == 0 && !was_kept(host, staging)) {
			error_exit(err, EXIT_EXISTS, "'%s' has just been made by somebody else",
				   staging);
			made = -1;
		}
		if (made < 0) {
			struct error ignored;

			undo_forget_last(host, &ignored);
			return -1;
		}
	}
	return make_limited(host, areas, quota, err);
}

/* Where the root file system is mounted while it runs has to be there; its parents may be as new. */
static int make_root(struct host *host, struct error *err)
{
	const char *root = host->container.root;

	if (root == NULL || file_exists(root))
		return 0;
	if (make_parents(host, root, err) < 0 ||
	    undo_push_path(host, UNDO_FAILURE, undo_remove_directory, root, err) < 0)
		return -1;
	return file_make_directory(root, 0755, err) < 0 ? -1 : 0;
}

int staging_place(struct host *host, const struct areas *areas, struct error *err)
{
	if (make_root(host, err) < 0)
		return -1;
	for (size_t i = 0; i < areas->count; i++) {
		const struct area *area = &areas->items[i];
		json_object *arguments = json_object_new_object();

		json_add_text(arguments, "from", area->final);
		json_add_text(arguments, "to", area->staging);
		if (undo_push(host, UNDO_FAILURE, undo_rename, arguments, err) < 0 ||
		    file_rename(area->staging, area->final, err) < 0)
			return -1;
	}
	return 0;
}

static int sync_directory(const char *path, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0)
		return error_system(err, "cannot sync '%s'", path);
	return 0;
}

static int sync_staged(const void *data, struct error *err)
{
	const struct areas *areas = data;

	for (size_t i = 0; i < areas->count; i++)
		if (sync_directory(areas->items[i].staging, err) < 0)
			return -1;
	return 0;
}

/* As the migration began with them. */
static int read_areas(const struct host *host, struct areas *areas, struct error *err)
{
	json_object *list = json_get_array(journal_header(&host->journal), "areas", AREAS_MAX, err);

	return list == NULL ? -1 : areas_from_json(areas, list, err);
}

int staging_sync(struct host *host, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };

	if (!host_is_destination(host))
		return 0;
	if (read_areas(host, &areas, err) < 0)
		return -1;
	return offload(sync_staged, &areas, err);
}

/* In a child of its own. */
static int sync_placed(void *data)
{
	const struct areas *areas = data;
	struct error ignored;

	for (size_t i = 0; i < areas->count; i++)
		if (sync_directory(areas->items[i].final, &ignored) < 0)
			return 1;
	return 0;
}

int staging_sync_begin(struct host *host, struct areas *areas, struct error *err)
{
	return process_fork(&host->sync, sync_placed, areas, NULL, 0, err);
}

int staging_sync_again(struct host *host, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };

	if (read_areas(host, &areas, err) < 0 || staging_sync_end(host, err) < 0)
		return -1;
	process_release(&host->sync);
	return staging_sync_begin(host, &areas, err);
}

int staging_sync_end(struct host *host, struct error *err)
{
	int status;

	if (host->sync.pid == 0)
		return 0;
	status = process_wait(&host->sync, -1, err);
	if (status > 0)
		return error_exit(err, EXIT_COPY,
				  "the files of container '%s' could not be synced to the disk",
				  host->container.id);
	return status;
}
