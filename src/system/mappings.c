// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading which private anonymous mappings a process has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "system/mappings.h"

/* "[heap]", "[stack]" and "[anon:…]" are the process's, the rest in brackets is the kernel's. */
static bool is_kernel(const char *name)
{
	return *name == '[' && !text_starts_with(name, "[heap]") &&
	       !text_starts_with(name, "[stack]") && !text_starts_with(name, "[anon:");
}

/* A line of maps: "BEGIN-END PERMISSIONS OFFSET DEVICE INODE NAME". There may be a hundred thousand. */
static bool parse(const char *line, struct mapping *mapping)
{
	char *at;
	uint64_t start = strtoull(line, &at, 16);

	if (*at != '-')
		return false;
	mapping->start = start;
	mapping->end = strtoull(at + 1, &at, 16);
	if (strnlen(at, 6) < 6 || at[4] != 'p')
		return false;
	at += 6;
	for (int field = 0; field < 2; field++) {
		at = strchr(at, ' ');
		if (at == NULL)
			return false;
		at++;
	}
	if (strtoull(at, &at, 10) != 0)
		return false;
	at += strspn(at, " ");
	return !is_kernel(at);
}

int mappings_read(pid_t pid, struct mappings *mappings, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	size_t capacity = 0;
	struct mapping mapping;
	char *line = NULL;

	mappings->count = 0;
	if (maps == NULL)
		return errno == ENOENT || errno == ESRCH
			       ? 0
			       : error_system(err, "cannot open '%s'", path);
	while (getline(&line, &capacity, maps) > 0)
		if (parse(line, &mapping))
			mappings_add(mappings, mapping.start, mapping.end);
	free(line);
	fclose(maps);
	return 0;
}

/* smaps has the line of maps before those that tell of the mapping, the last of them "VmFlags: rd wr …". */
void mappings_read_locked(pid_t pid, struct mappings *mappings)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/smaps", (int)pid);
	FILE *smaps = fopen(path, "re");
	struct mapping mapping = { 0 };
	size_t capacity = 0;
	char *line = NULL;

	mappings->count = 0;
	while (smaps != NULL && getline(&line, &capacity, smaps) > 0) {
		if (!text_starts_with(line, "VmFlags:"))
			parse(line, &mapping);
		else if (strstr(line, " lo ") != NULL)
			mappings_add(mappings, mapping.start, mapping.end);
	}
	free(line);
	if (smaps != NULL)
		fclose(smaps);
}

void mappings_add(struct mappings *mappings, uint64_t start, uint64_t end)
{
	mappings->items = memory_grow(mappings->items, mappings->count, sizeof(*mappings->items));
	mappings->items[mappings->count++] = (struct mapping){ start, end };
}

/* The first that ends behind an address. */
static size_t find(const struct mappings *mappings, uint64_t address)
{
	size_t low = 0;
	size_t high = mappings->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mappings->items[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool mappings_cover(const struct mappings *mappings, const struct mapping *mapping)
{
	uint64_t covered = mapping->start;

	for (size_t i = find(mappings, covered);
	     i < mappings->count && mappings->items[i].start <= covered; i++) {
		covered = mappings->items[i].end;
		if (covered >= mapping->end)
			return true;
	}
	return false;
}

void mappings_release(struct mappings *mappings)
{
	free(mappings->items);
	*mappings = (struct mappings){ 0 };
}
