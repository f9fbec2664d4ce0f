// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the mounts of a container that criu, or the destination, cannot have. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "node/scan.h"
#include "system/proc.h"

#define LINK_SIZE 256

/* Every kernel has these by itself; what is seen of one does not come from a node's files. */
static const char *const kernel_types[] = {
	"proc",	      "sysfs",	   "devpts",  "mqueue",	  "cgroup",	 "cgroup2",
	"securityfs", "debugfs",   "tracefs", "fusectl",  "bpf",	 "pstore",
	"configfs",   "hugetlbfs", "nsfs",    "efivarfs", "binfmt_misc", "rpc_pipefs",
};

/* Device nodes that a runtime binds into a container which may not make them. */
static const char *const device_nodes[] = { "/dev/null",    "/dev/zero", "/dev/full",
					    "/dev/random",  "/dev/tty",	 "/dev/urandom",
					    "/dev/console", "/dev/ptmx" };

/* One line of mountinfo. Points into the line. */
struct mount {
	const char *device; /* "0:35" */
	const char *root;
	const char *point;
	const char *type;
};

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static bool parse_mount(char *line, struct mount *mount)
{
	char *tail = strstr(line, " - ");
	char *fields[5];

	if (tail == NULL)
		return false;
	tail += 3;
	mount->type = strsep(&tail, " ");
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if ((fields[i] = strsep(&line, " ")) == NULL)
			return false;
	mount->device = fields[2];
	mount->root = fields[3];
	mount->point = fields[4];
	return true;
}

/* The path that the mount's root has on this node; NULL when this node does not see it: then the
 * file system is the container's own. The caller frees. */
static char *path_outside(const struct mount *mount, const struct text *node)
{
	CLEANUP(memory_release) char *copy = memory_duplicate(text_string(node));
	char *rest = copy;
	char *found = NULL;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		struct mount own;
		const char *below;

		if (!parse_mount(line, &own) || strcmp(own.device, mount->device) != 0 ||
		    (strcmp(own.root, "/") != 0 && !file_path_below(mount->root, own.root)))
			continue;
		below = mount->root + (strcmp(own.root, "/") != 0 ? strlen(own.root) : 0);
		free(found);
		found = memory_format("%s%s", strcmp(own.point, "/") != 0 ? own.point : "",
				      strcmp(below, "/") != 0 ? below : "");
	}
	return found;
}

/* Does the configuration demand it? Then the destination's checks look for it. */
static bool is_demanded(const struct container *container, const char *path)
{
	for (size_t i = 0; i < container->mount_sources.count; i++)
		if (file_path_below(path, container->mount_sources.items[i]))
			return true;
	return false;
}

static void scan_mount(struct scan *scan, pid_t pid, const struct mount *mount,
		       const struct text *node)
{
	const struct container *container = scan->container;
	CLEANUP(memory_release) char *path = NULL;

	if (strcmp(mount->point, "/") == 0 ||
	    is_one_of(mount->type, kernel_types, COUNT_OF(kernel_types)))
		return;
	path = path_outside(mount, node);
	if (path == NULL &&
	    (text_starts_with(mount->type, "fuse.") || strcmp(mount->type, "fuse") == 0 ||
	     strcmp(mount->type, "fuseblk") == 0)) {
		scan_refuse(scan, pid,
			    "has a FUSE file system mounted at '%.200s', which criu cannot dump: "
			    "unmount it, or migrate without --online",
			    mount->point);
		return;
	}
	if (path == NULL || file_path_below(path, container->private_area) ||
	    is_demanded(container, path) || is_one_of(path, device_nodes, COUNT_OF(device_nodes)) ||
	    text_starts_with(mount->type, "fuse.lxcfs"))
		return;
	scan_refuse(scan, pid,
		    "has '%.200s' of this node mounted at '%.200s', which its configuration does "
		    "not demand, so that the destination cannot restore it: unmount it, or "
		    "migrate without --online",
		    path, mount->point);
}

void scan_mounts(struct scan *scan, pid_t pid)
{
	CLEANUP(text_release) struct text mounts = { 0 };
	CLEANUP(text_release) struct text node = { 0 };
	char namespace[LINK_SIZE];
	char *rest;

	if (!proc_link(pid, "ns/mnt", namespace, sizeof(namespace)) ||
	    is_one_of(namespace, (const char *const *)scan->namespaces.items,
		      scan->namespaces.count))
		return;
	words_add(&scan->namespaces, namespace);
	if (!proc_read(pid, "mountinfo", &mounts) || !proc_read(getpid(), "mountinfo", &node))
		return;
	rest = mounts.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		struct mount mount;

		if (parse_mount(line, &mount))
			scan_mount(scan, pid, &mount, &node);
	}
}
