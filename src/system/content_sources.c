// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding the memory of a container that criu writes into its own images. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "system/content_sources.h"
#include "system/proc.h"

#define MEMFD_LINK "/memfd:"
#define SEGMENT_NAME "/SYSV"

/* All of it is on one mount of the kernel's own, whatever its name. */
static int find_device(uint64_t *device, struct error *err)
{
	CLEANUP(descriptor_close) int fd = memfd_create("vzmigrate", MFD_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_system(err, "cannot find out where shared memory is");
	*device = status.st_dev;
	return 0;
}

static void add(struct content_sources *sources, const struct content_source *source)
{
	struct table_entry *known =
		table_add(&sources->known, &source->identity, sizeof(source->identity));

	if (known->number != 0)
		return;
	known->number = 1;
	sources->items = memory_grow(sources->items, sources->count, sizeof(*sources->items));
	sources->items[sources->count++] = *source;
}

/* A line of maps: "BEGIN-END PERMISSIONS OFFSET MAJOR:MINOR INODE NAME". */
static void take_line(struct content_sources *sources, const struct memory_process *process,
		      const char *line)
{
	struct content_source source = { .process = process };
	unsigned int device_major;
	unsigned int device_minor;
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %x:%x %" SCNu64 " %n", &source.start,
		   &source.end, &device_major, &device_minor, &source.identity.number,
		   &name) != 5 ||
	    makedev(device_major, device_minor) != sources->device)
		return;
	source.identity.kind =
		text_starts_with(line + name, SEGMENT_NAME) ? CONTENT_SEGMENT : CONTENT_OBJECT;
	add(sources, &source);
}

static void find_mapped(struct content_sources *sources, const struct memory_process *process)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/maps", (int)process->pid);
	FILE *maps = fopen(path, "re");
	size_t capacity = 0;
	char *line = NULL;

	while (maps != NULL && getline(&line, &capacity, maps) > 0)
		take_line(sources, process, line);
	free(line);
	if (maps != NULL)
		fclose(maps);
}

/* No descriptor but one that is called a memfd is followed: a file may be where nobody answers. */
static void take_descriptor(struct content_sources *sources, const struct memory_process *process,
			    const char *number)
{
	CLEANUP(memory_release)
	char *path = memory_format("/proc/%d/fd/%s", (int)process->pid, number);
	char target[sizeof(MEMFD_LINK)];
	struct stat status;

	if (readlink(path, target, sizeof(target)) < (ssize_t)strlen(MEMFD_LINK) ||
	    strncmp(target, MEMFD_LINK, strlen(MEMFD_LINK)) != 0 || stat(path, &status) < 0 ||
	    status.st_dev != sources->device)
		return;
	add(sources, &(struct content_source){
			     .identity = { CONTENT_OBJECT, status.st_ino },
			     .process = process,
			     .descriptor = atoi(number),
		     });
}

static void find_open(struct content_sources *sources, const struct memory_process *process)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/fd", (int)process->pid);
	DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			take_descriptor(sources, process, entry->d_name);
	if (directory != NULL)
		closedir(directory);
}

int content_sources_find(struct content_sources *sources, const struct memory_processes *processes,
			 struct error *err)
{
	if (sources->device == 0 && find_device(&sources->device, err) < 0)
		return -1;
	for (size_t i = 0; i < processes->count; i++) {
		const struct memory_process *process = &processes->items[i];

		find_mapped(sources, process);
		find_open(sources, process);
		if (process->track.locked.count > 0)
			add(sources,
			    &(struct content_source){
				    .identity = { CONTENT_LOCKED, (uint64_t)process->inside },
				    .process = process,
			    });
	}
	return 0;
}

void content_sources_release(struct content_sources *sources)
{
	free(sources->items);
	table_release(&sources->known);
	*sources = (struct content_sources){ 0 };
}

/* What a container may have put there meanwhile is opened only when it is what was meant: opening alone can do
 * something, or never return. */
static int open_object(const struct content_sources *sources, const struct content_source *source,
		       const char *path)
{
	CLEANUP(descriptor_close) int seen = open(path, O_PATH | O_CLOEXEC);
	CLEANUP(memory_release) char *again = memory_format("/proc/self/fd/%d", seen);
	struct stat status;

	if (seen < 0 || fstat(seen, &status) < 0 || !S_ISREG(status.st_mode) ||
	    status.st_dev != sources->device || status.st_ino != source->identity.number)
		return -1;
	return open(again, O_RDONLY | O_CLOEXEC);
}

int content_source_open(const struct content_sources *sources, const struct content_source *source)
{
	CLEANUP(memory_release) char *path = NULL;
	int pid = (int)source->process->pid;

	if (source->identity.kind == CONTENT_LOCKED) {
		path = memory_format("/proc/%d/mem", pid);
		return open(path, O_RDONLY | O_CLOEXEC);
	}
	path = source->end != 0 ? memory_format("/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid,
						source->start, source->end)
				: memory_format("/proc/%d/fd/%d", pid, source->descriptor);
	return open_object(sources, source, path);
}

static void visit_object(int fd, page_visitor *visit, void *data)
{
	uint64_t page = page_size();
	struct stat status;
	off_t end = 0;

	/* Nobody runs after one that grows meanwhile. */
	if (fstat(fd, &status) < 0)
		return;
	while (end < status.st_size) {
		off_t start = lseek(fd, end, SEEK_DATA);

		end = start >= 0 ? lseek(fd, start, SEEK_HOLE) : -1;
		if (end <= start)
			return;
		visit(data, (uint64_t)start / page * page, ((uint64_t)end + page - 1) / page * page,
		      PAGE_WRITTEN);
	}
}

static void visit_locked(const struct memory_process *process, page_visitor *visit, void *data)
{
	CLEANUP(descriptor_close) int pagemap = page_scan_open(process->pid);
	const struct mappings *locked = &process->track.locked;

	for (size_t i = 0; pagemap >= 0 && i < locked->count; i++)
		page_scan(pagemap, PAGE_SCAN_PRESENT, locked->items[i].start, locked->items[i].end,
			  visit, data);
}

void content_source_visit(const struct content_source *source, int fd, page_visitor *visit,
			  void *data)
{
	if (source->identity.kind == CONTENT_LOCKED)
		visit_locked(source->process, visit, data);
	else
		visit_object(fd, visit, data);
}
