// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for having criu load what answers for us, and for what was written down then coming into its
 * images. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/program.h"
#include "base/text.h"
#include "system/left_pages.h"
#include "system/page_scan.h"
#include "system/pagemap_image.h"
#include "system/proc.h"

/* From the program's directory. */
#define LIBRARY "../lib/vzmigrate/criu-pages.so"

/* Every other page of 64 GiB. */
#define RECORD_LIMIT ((size_t)128 << 20)

char *left_pages_library(void)
{
	CLEANUP(memory_release) char *program = process_own_path();
	CLEANUP(memory_release) char *directory = file_parent(program);
	CLEANUP(memory_release) char *path = memory_format("%s/" LIBRARY, directory);

	return access(path, R_OK) == 0 ? memory_steal(&path) : NULL;
}

void left_pages_load(const char *library, const char *records)
{
	setenv("LD_PRELOAD", library, 1);
	setenv(LEFT_PAGES_VARIABLE, records, 1);
}

static int compare(const void *one, const void *other)
{
	const struct pagemap_range *first = one;
	const struct pagemap_range *second = other;

	return first->start < second->start ? -1 : first->start > second->start;
}

/* Returns how many bytes of memory they are. */
static uint64_t add_pages(const struct text *record, struct pagemap_image *image)
{
	uint64_t bytes = 0;

	for (size_t at = 0; at + sizeof(struct left_pages) <= record->length;) {
		struct left_pages pages;

		memcpy(&pages, record->bytes + at, sizeof(pages));
		at += sizeof(pages);
		image->ranges = memory_grow(image->ranges, image->count, sizeof(*image->ranges));
		image->ranges[image->count++] = (struct pagemap_range){
			.start = pages.start,
			.pages = (pages.end - pages.start) / page_size(),
			.flags = PAGEMAP_LAZY,
		};
		bytes += pages.end - pages.start;
	}
	return bytes;
}

struct adding {
	const char *records;
	const char *images;
	int depth; /* of the container's pid namespace */
	uint64_t bytes;
};

static int add_record(struct adding *adding, const char *name, struct error *err)
{
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
	CLEANUP(memory_release) char *record = memory_format("%s/%s", adding->records, name);
	CLEANUP(text_release) struct text content = { 0 };
	CLEANUP(memory_release) char *path = NULL;
	int depths;
	pid_t inside = proc_pid_inside((pid_t)atoi(name), adding->depth, &depths);

	if (inside == 0)
		return error_set(err, "process %s ended while it was dumped", name);
	path = memory_format("%s/pagemap-%d.img", adding->images, (int)inside);
	if (file_read(record, RECORD_LIMIT, &content, err) < 0 ||
	    pagemap_image_read(path, &image, err) < 0)
		return -1;
	adding->bytes += add_pages(&content, &image);
	if (image.count > 0)
		qsort(image.ranges, image.count, sizeof(*image.ranges), compare);
	return pagemap_image_write(path, &image, err);
}

int left_pages_add(const char *records, pid_t init, const char *images, int64_t *left,
		   struct error *err)
{
	struct adding adding = { .records = records, .images = images };
	DIR *directory = opendir(records);
	struct dirent *entry;
	int outcome = 0;

	*left = 0;
	if (directory == NULL)
		return errno == ENOENT ? 0 : error_system(err, "cannot read '%s'", records);
	proc_pid_inside(init, 0, &adding.depth);
	while (outcome == 0 && (entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			outcome = add_record(&adding, entry->d_name, err);
	closedir(directory);
	*left = (int64_t)adding.bytes;
	return outcome;
}
