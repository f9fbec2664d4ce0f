// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the record of what changed in a container's files on the source. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "node/staging.h"
#include "node/watch.h"
#include "system/cgroup.h"
#include "system/open_files.h"
#include "system/path_list.h"
#include "system/path_watch.h"

/* Bounded by what the record of changes can hold. */
#define LIST_LIMIT (256 << 20)

struct watch {
	struct path_watch paths;
	int64_t begun; /* nanoseconds of the real-time clock */
};

struct collection {
	int64_t last_pass;
	const char *freezer;
	bool again;
	bool only_made;
};

int watch_begin(struct host *host, json_object *arguments, struct error *err)
{
	CLEANUP(areas_release) struct areas areas = { 0 };
	json_object *list = json_get_array(arguments, "areas", AREAS_MAX, err);
	const char *paths[AREAS_MAX];
	struct error reason;

	if (list == NULL || areas_from_json(&areas, list, err) < 0)
		return -1;
	watch_end(host);
	host->watch = memory_allocate(1, sizeof(*host->watch));
	host->watch->begun = clock_of_day_ns();
	for (size_t i = 0; i < areas.count; i++)
		paths[i] = areas.items[i].source;
	if (path_watch_open(&host->watch->paths, paths, areas.count, err) < 0)
		return -1;
	if (path_watch_begin(&host->watch->paths, &reason) < 0)
		log_debug("changes are not recorded, so every pass looks at every file: %s",
			  reason.text);
	return 0;
}

char *watch_list_path(const struct host *host, size_t area, bool compared)
{
	return memory_format("%s/%s-%zu", host->run_directory, compared ? "compare" : "changed",
			     area);
}

static void add_process(pid_t pid, void *data)
{
	open_files_add(data, pid);
}

static int write_list(const struct host *host, size_t area, bool compared, const struct text *list,
		      struct error *err)
{
	CLEANUP(memory_release) char *path = watch_list_path(host, area, compared);

	return file_write(path, list, 0600, err);
}

/* Opens the directory that has the path, where no component of it became a symbolic link or went. */
static int open_parent(const struct watched_root *root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	CLEANUP(memory_release) char *full = memory_format("/%s", path);
	CLEANUP(memory_release) char *parent = file_parent(full);
	const char *below = strcmp(parent, "/") == 0 ? "." : parent + 1;

	return (int)syscall(SYS_openat2, root->fd, below, &how, sizeof(how));
}

/* One line of a list of the last time. Where a directory above it changed its name, what is in it counts as
 * changed anyway. */
static void add_again(const struct watched_root *root, const char *line, bool compared,
		      struct text *list)
{
	CLEANUP(memory_release) char *path = memory_duplicate(line);
	size_t length = strlen(path);
	CLEANUP(descriptor_close) int parent = -1;
	struct stat status;
	bool exists;

	if (text_ends_with(path, "/"))
		path[length - 1] = '\0';
	parent = open_parent(root, path);
	if (parent < 0)
		return;
	exists = fstatat(parent, strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path,
			 &status, AT_SYMLINK_NOFOLLOW) == 0;
	if (compared && !(exists && S_ISREG(status.st_mode)))
		return;
	text_append(list, path, strlen(path));
	if (strlen(path) < length && exists && S_ISDIR(status.st_mode))
		text_append(list, "/", 1);
	text_append(list, "", 1);
}

static int add_earlier(const struct host *host, size_t area, bool compared, struct text *list,
		       struct error *err)
{
	CLEANUP(memory_release) char *path = watch_list_path(host, area, compared);
	CLEANUP(text_release) struct text earlier = { 0 };

	if (file_read(path, LIST_LIMIT, &earlier, err) < 0)
		return -1;
	for (size_t at = 0; at < earlier.length; at += strlen(earlier.bytes + at) + 1)
		add_again(&host->watch->paths.roots[area], earlier.bytes + at, compared, list);
	return 0;
}

static size_t count_lines(const struct text *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->length; i++)
		count += list->bytes[i] == '\0';
	return count;
}

/* One area's lists. Returns as watch_collect(). */
static int collect_root(struct host *host, size_t area, const struct collection *collection,
			const struct open_files *open, struct error *err)
{
	struct watched_root *root = &host->watch->paths.roots[area];
	CLEANUP(path_list_release)
	struct path_list list = {
		.root = root,
		.resolve = path_watch_resolve,
		.find = path_watch_stat,
		.last_pass = collection->last_pass,
		.only_made = collection->only_made,
		.begun = host->watch->begun,
		.home = host->container.private_area,
	};
	struct error reason;
	int complete = 1;

	if (path_list_make(&list, open, &reason) < 0) {
		log_debug("'%s': not all changes are known: %s", root->path, reason.text);
		path_list_release(&list);
		if (path_list_make_open(&list, open, err) < 0)
			return -1;
		complete = 0;
	}
	if (collection->again && (add_earlier(host, area, false, &list.paths, err) < 0 ||
				  add_earlier(host, area, true, &list.compared, err) < 0))
		return -1;
	log_debug("'%s': %zu paths changed, %zu files to compare%s", root->path,
		  count_lines(&list.paths), count_lines(&list.compared),
		  list.walked ? ", all names read for those of files with several" : "");
	if (write_list(host, area, false, &list.paths, err) < 0 ||
	    write_list(host, area, true, &list.compared, err) < 0)
		return -1;
	path_changes_release(&root->changes);
	return complete;
}

/* Returns 1; 0 when not all changes are known. */
static int collect_all(struct host *host, const struct collection *collection, struct error *err)
{
	CLEANUP(open_files_release) struct open_files open = { 0 };
	int complete = 1;

	if (collection->freezer != NULL &&
	    cgroup_visit(collection->freezer, add_process, &open, err) < 0)
		return -1;
	path_watch_catch_up(&host->watch->paths);
	for (size_t i = 0; i < host->watch->paths.count; i++) {
		int outcome = collect_root(host, i, collection, &open, err);

		if (outcome < 0)
			return -1;
		complete = outcome == 0 ? 0 : complete;
	}
	return complete;
}

int watch_collect(struct host *host, json_object *arguments, json_object **answer,
		  struct error *err)
{
	struct collection collection = {
		.freezer = json_find_flag(arguments, "open") ? host->freezer : NULL,
		.again = json_find_flag(arguments, "again"),
		.only_made = json_find_flag(arguments, "only_made"),
	};
	int complete;

	if (host->watch == NULL)
		return error_set(err, "the changes of container '%s' were not watched",
				 host->container.id);
	if (json_get_number(arguments, "last_pass", 0, INT64_MAX, &collection.last_pass, err) < 0)
		return -1;
	complete = collect_all(host, &collection, err);
	if (complete < 0)
		return -1;
	*answer = json_object_new_object();
	json_add_flag(*answer, "complete", complete != 0);
	return 0;
}

void watch_end(struct host *host)
{
	if (host->watch != NULL)
		path_watch_release(&host->watch->paths);
	free(host->watch);
	host->watch = NULL;
}
