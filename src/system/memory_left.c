// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for how much memory is left for us. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "system/memory_left.h"

#define FILE_LIMIT 65536
#define CGROUPS "/sys/fs/cgroup"

/* The two kinds of cgroups: where they are, what the limit and the use of one are called. */
static const struct kind {
	const char *line; /* how /proc/self/cgroup has it, after the number */
	const char *root;
	const char *limit;
	const char *usage;
	const char *cached[2]; /* lines of memory.stat: of the use, what would be given back */
} kinds[] = {
	{ ":memory:",
	  CGROUPS "/memory",
	  "memory.limit_in_bytes",
	  "memory.usage_in_bytes",
	  { "\ntotal_inactive_file ", "\ntotal_active_file " } },
	{ "0::",
	  CGROUPS,
	  "memory.max",
	  "memory.current",
	  { "\ninactive_file ", "\nactive_file " } },
};

/* "MemAvailable:    1234 kB" */
static int64_t read_available(struct error *err)
{
	static const char label[] = "\nMemAvailable:";
	CLEANUP(text_release) struct text content = { 0 };
	const char *line;

	if (file_read("/proc/meminfo", FILE_LIMIT, &content, err) < 0)
		return -1;
	line = strstr(text_string(&content), label);
	if (line == NULL)
		return error_set(err, "the kernel does not tell how much memory is available");
	return strtoll(line + sizeof(label) - 1, NULL, 10) * 1024;
}

/* -1: no number, such as "max", or no such file. */
static int64_t read_number(const char *directory, const char *name)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", directory, name);
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	char *end;
	long long number;

	if (file_read(path, FILE_LIMIT, &content, &ignored) < 0)
		return -1;
	errno = 0;
	number = strtoll(text_string(&content), &end, 10);
	return errno != 0 || end == text_string(&content) ? -1 : number;
}

static int64_t read_cached(const struct kind *kind, const char *directory)
{
	CLEANUP(memory_release) char *path = memory_format("%s/memory.stat", directory);
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	int64_t cached = 0;

	if (file_read(path, FILE_LIMIT, &content, &ignored) < 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(kind->cached); i++) {
		const char *line = strstr(text_string(&content), kind->cached[i]);

		if (line != NULL)
			cached += strtoll(line + strlen(kind->cached[i]), NULL, 10);
	}
	return cached;
}

/* The cgroup and those above it. */
static int64_t cap(const struct kind *kind, const char *cgroup, int64_t left)
{
	CLEANUP(memory_release) char *path = memory_format("%s%s", kind->root, cgroup);

	for (;;) {
		int64_t limit = read_number(path, kind->limit);
		int64_t usage = read_number(path, kind->usage) - read_cached(kind, path);

		if (limit >= 0 && limit - usage < left)
			left = limit > usage ? limit - usage : 0;
		if (strlen(path) <= strlen(kind->root))
			return left;
		*strrchr(path, '/') = '\0';
	}
}

int64_t memory_left(struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	int64_t left = read_available(err);
	char *rest;

	if (left < 0 || file_read("/proc/self/cgroup", FILE_LIMIT, &content, err) < 0)
		return -1;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		for (size_t i = 0; i < COUNT_OF(kinds); i++) {
			const char *found = strstr(line, kinds[i].line);

			if (found != NULL && strchr(line, ':') >= found - 1)
				left = cap(&kinds[i], found + strlen(kinds[i].line), left);
		}
	return left;
}
