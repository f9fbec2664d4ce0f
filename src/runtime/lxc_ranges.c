// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for which id ranges LXC may use on this node. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/program.h"
#include "runtime/lxc.h"

#define FILE_LIMIT (4 << 20)

/* lxc looks at a program's set-user-id bit or its file capabilities. */
static bool is_privileged(const char *program)
{
	CLEANUP(memory_release) char *path = process_find(program);
	struct stat status;
	char capabilities[64];

	if (path == NULL || stat(path, &status) < 0)
		return false;
	return (status.st_mode & S_ISUID) != 0 ||
	       getxattr(path, "security.capability", capabilities, sizeof(capabilities)) > 0;
}

/* "root:100000:65536", or with "0" for the name. */
static bool line_allows(const char *line, const struct id_range *range)
{
	unsigned long first;
	unsigned long count;
	const char *numbers = strchr(line, ':');

	if (!text_starts_with(line, "root:") && !text_starts_with(line, "0:"))
		return false;
	return sscanf(numbers + 1, "%lu:%lu", &first, &count) == 2 && range->outside >= first &&
	       range->outside + (unsigned long)range->count <= first + count;
}

static bool file_allows(const char *file, const struct id_range *range)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	char *rest;

	if (file_read(file, FILE_LIMIT, &content, &ignored) < 0)
		return false;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		if (line_allows(line, range))
			return true;
	return false;
}

/*
 * Root needs nobody's leave for a map; but where newuidmap and newgidmap are installed lxc has them
 * write it, even as root, and they insist on what these files say.
 */
int lxc_may_map(const struct id_range *range, struct error *err)
{
	const char *file = range->group ? "/etc/subgid" : "/etc/subuid";

	if (!is_privileged("newuidmap") || !is_privileged("newgidmap") || file_allows(file, range))
		return 0;
	return error_exit(err, EXIT_TECHNOLOGIES,
			  "lxc may not use the %s ids %u to %u on this node: add the line "
			  "'root:%u:%u' to '%s'",
			  range->group ? "group" : "user", range->outside,
			  range->outside + range->count - 1, range->outside, range->count, file);
}
