// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the memory that has arrived and is not yet given to its process. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "system/image_stream.h"
#include "system/memory_store.h"
#include "system/page_scan.h"

/* 16 bytes a range: far more ranges than a process has pages. */
#define MISSING_LIMIT ((size_t)1 << 30)

/* As of a pagemap (system/pagemap_image.h). */
#define ADDRESS_LIMIT ((uint64_t)1 << 56)

static void free_store(struct memory_store *store)
{
	descriptor_close(&store->fd);
	descriptor_close(&store->wanted);
	lazy_ranges_release(&store->awaited);
	free(store->wanted_path);
	free(store);
}

/* What of it is still to come; where nothing is there is no such file. */
static int read_awaited(struct memory_store *store, const char *directory, struct error *err)
{
	CLEANUP(memory_release)
	char *path = memory_format("%s/%d%s", directory, (int)store->pid, IMAGE_MISSING_SUFFIX);
	CLEANUP(text_release) struct text content = { 0 };
	uint64_t page = page_size();

	if (!file_exists(path))
		return 0;
	if (file_read(path, MISSING_LIMIT, &content, err) < 0)
		return -1;
	for (size_t at = 0; at < content.length; at += 2 * sizeof(uint64_t)) {
		uint64_t range[2] = { 0 };

		if (content.length - at >= sizeof(range))
			memcpy(range, content.bytes + at, sizeof(range));
		if (range[1] == 0 || range[0] % page != 0 || range[1] % page != 0 ||
		    range[0] > ADDRESS_LIMIT || range[1] > ADDRESS_LIMIT - range[0])
			return error_set(err, "'%s' is damaged", path);
		lazy_ranges_add(&store->awaited, range[0], range[0] + range[1], range[0]);
	}
	return 0;
}

struct memory_store *memory_store_open(const char *directory, pid_t pid, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%d", directory, (int)pid);
	CLEANUP(descriptor_close) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct memory_store *store;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0) {
		error_system(err, "cannot open the memory of process %d in '%s'", (int)pid,
			     directory);
		return NULL;
	}
	if (!S_ISREG(status.st_mode)) {
		error_set(err, "'%s' is no file with the memory of a process", path);
		return NULL;
	}
	store = memory_allocate(1, sizeof(*store));
	store->pid = pid;
	store->fd = descriptor_steal(&fd);
	store->wanted_path = memory_format("%s/%s", directory, IMAGE_WANTED);
	store->wanted = -1;
	store->users = 1;
	if (read_awaited(store, directory, err) < 0)
		free_store(store);
	else
		return store;
	return NULL;
}

struct memory_store *memory_store_share(struct memory_store *store)
{
	store->users++;
	return store;
}

/* In which page the next data begins, but not behind `end`. */
static int seek_data(int fd, uint64_t offset, uint64_t end, uint64_t *next, struct error *err)
{
	off_t found = lseek(fd, (off_t)offset, SEEK_DATA);

	if (found < 0 && errno != ENXIO)
		return error_system(err, "cannot look into the memory of a process");
	*next = found < 0 || (uint64_t)found > end ? end : (uint64_t)found;
	*next -= *next % page_size();
	return 0;
}

/* A hole up to `end`. */
static int judge_hole(const struct memory_store *store, uint64_t offset, uint64_t end,
		      uint64_t *found)
{
	struct lazy_range awaited;

	*found = end - offset;
	if (!lazy_ranges_find(&store->awaited, offset, &awaited) || awaited.start >= end)
		return STORE_ZERO;
	if (awaited.start > offset) {
		*found = awaited.start - offset;
		return STORE_ZERO;
	}
	if (awaited.end < end)
		*found = awaited.end - offset;
	return STORE_AWAITED;
}

int memory_store_look(const struct memory_store *store, uint64_t offset, uint64_t length,
		      uint64_t most, uint64_t *found, struct error *err)
{
	uint64_t page = page_size();
	uint64_t end = offset + length;
	uint64_t next;

	if (seek_data(store->fd, offset, end, &next, err) < 0)
		return -1;
	if (next > offset)
		return judge_hole(store, offset, next, found);
	/* To find the next hole the kernel would look through all that is there: 7 ms for each GiB, while somebody
	 * may wait for a page. */
	for (*found = page; *found < length && *found < most; *found += page) {
		if (seek_data(store->fd, offset + *found, end, &next, err) < 0)
			return -1;
		if (next > offset + *found)
			break;
	}
	return STORE_DATA;
}

/* The other end of the FIFO is the receiver's: the kernel says when it is not there. */
bool memory_store_is_lost(const struct memory_store *store, uint64_t offset)
{
	uint64_t length;
	struct error ignored;
	CLEANUP(descriptor_close)
	int fd = open(store->wanted_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 || (errno != ENXIO && errno != ENOENT))
		return false;
	/* What it received before it ended is there. */
	return memory_store_look(store, offset, page_size(), page_size(), &length, &ignored) ==
	       STORE_AWAITED;
}

/* Whoever reads it may be gone, and another come. */
bool memory_store_want(struct memory_store *store, uint64_t offset)
{
	const struct image_request request = {
		.process = (uint32_t)store->pid,
		.address = offset,
	};

	if (store->wanted < 0)
		store->wanted = open(store->wanted_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (store->wanted < 0)
		return false;
	if (write(store->wanted, &request, sizeof(request)) == (ssize_t)sizeof(request))
		return true;
	if (errno != EAGAIN)
		descriptor_close(&store->wanted);
	return false;
}

const void *memory_store_map(const struct memory_store *store, uint64_t offset, uint64_t length,
			     struct error *err)
{
	void *bytes =
		mmap(NULL, length, PROT_READ, MAP_SHARED | MAP_POPULATE, store->fd, (off_t)offset);

	if (bytes != MAP_FAILED)
		return bytes;
	error_system(err, "cannot read the memory of a process");
	return NULL;
}

void memory_store_unmap(const void *bytes, uint64_t length)
{
	munmap((void *)(uintptr_t)bytes, length);
}

/* Best effort: what could not be punched out goes with the file. */
void memory_store_forget(const struct memory_store *store, uint64_t offset, uint64_t length)
{
	if (store->users == 1)
		fallocate(store->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			  (off_t)length);
}

void memory_store_release(struct memory_store **store)
{
	struct memory_store *released = *store;
	int ignored;

	*store = NULL;
	if (released == NULL || --released->users > 0)
		return;
	/* Its name may live on until the migration is over. */
	ignored = ftruncate(released->fd, 0);
	(void)ignored;
	free_store(released);
}
