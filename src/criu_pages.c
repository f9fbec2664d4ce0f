// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Alone responsible for criu not working for large memory that it leaves to us: a library in criu's process
 * (include/system/left_pages.h), which stands before the C library's ioctl() and memcpy().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/left_pages.h"
#include "system/mappings.h"
#include "system/page_scan.h"
#include "system/pagemap_scan.h"

/* In a smaller mapping criu is as fast as we. */
#define LARGE ((uint64_t)16 << 20)

/* What is known of the process that was asked about last. */
static struct {
	pid_t pid;
	struct mappings mappings;
} asked;

static char *records;

struct ranges {
	struct left_pages *items;
	size_t count;
};

static void ranges_release(struct ranges *ranges)
{
	free(ranges->items);
}

/* What criu starts is none of our business. */
__attribute__((constructor)) static void begin(void)
{
	const char *directory = getenv(LEFT_PAGES_VARIABLE);

	if (directory != NULL)
		records = memory_duplicate(directory);
	unsetenv(LEFT_PAGES_VARIABLE);
	unsetenv("LD_PRELOAD");
}

/* How many bytes of its mappings are locked; -1: unknown. */
static int64_t locked_bytes(pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/status", (int)pid);
	FILE *status = fopen(path, "re");
	size_t capacity = 0;
	char *line = NULL;
	long kibibytes = -1;

	while (status != NULL && kibibytes < 0 && getline(&line, &capacity, status) > 0)
		sscanf(line, "VmLck: %ld", &kibibytes);
	free(line);
	if (status != NULL)
		fclose(status);
	return kibibytes < 0 ? -1 : (int64_t)kibibytes * 1024;
}

/* Which large mappings criu leaves to us of this process, which is frozen. Locked ones it does not; which they
 * are takes long to find out, but one that is larger than all that is locked is none. */
static void learn(pid_t pid)
{
	CLEANUP(mappings_release) struct mappings all = { 0 };
	int64_t locked = locked_bytes(pid);
	struct error ignored;

	asked.pid = pid;
	asked.mappings.count = 0;
	if (locked < 0 || mappings_read(pid, &all, &ignored) < 0)
		return;
	for (size_t i = 0; i < all.count; i++) {
		uint64_t size = all.items[i].end - all.items[i].start;

		if (size >= LARGE && size > (uint64_t)locked)
			mappings_add(&asked.mappings, all.items[i].start, all.items[i].end);
	}
}

/* The process whose pagemap this is; 0: it is no pagemap. */
static pid_t whose(int fd)
{
	CLEANUP(memory_release) char *name = memory_format("/proc/self/fd/%d", fd);
	char target[64];
	ssize_t length = readlink(name, target, sizeof(target) - 1);
	int matched = 0;
	int pid;

	target[length > 0 ? length : 0] = '\0';
	if (sscanf(target, "/proc/%d/pagemap%n", &pid, &matched) != 1 || matched == 0 ||
	    target[matched] != '\0')
		return 0;
	return pid;
}

static const struct mapping *find(uint64_t address)
{
	for (size_t i = 0; i < asked.mappings.count; i++)
		if (address >= asked.mappings.items[i].start &&
		    address < asked.mappings.items[i].end)
			return &asked.mappings.items[i];
	return NULL;
}

/* Does criu want to know which pages have content? (It also asks for guards.) */
static bool asks_for_content(const struct pagemap_scan *scan)
{
	return scan->size == sizeof(*scan) && scan->flags == 0 &&
	       scan->category_anyof_mask == (PAGEMAP_IS_PRESENT | PAGEMAP_IS_SWAPPED) &&
	       (scan->category_inverted & scan->category_mask & PAGEMAP_IS_ZERO) != 0;
}

static void note(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	struct ranges *ranges = data;
	struct left_pages *last = ranges->count > 0 ? &ranges->items[ranges->count - 1] : NULL;

	if (state == PAGE_ZERO)
		return;
	if (last != NULL && last->end == start) {
		last->end = end;
		return;
	}
	ranges->items = memory_grow(ranges->items, ranges->count, sizeof(*ranges->items));
	ranges->items[ranges->count++] = (struct left_pages){ start, end };
}

/* All or nothing. */
static bool record(pid_t pid, const struct ranges *ranges)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%d", records, (int)pid);
	CLEANUP(descriptor_close)
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t length = ranges->count * sizeof(*ranges->items);
	off_t before = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;

	if (before < 0)
		return false;
	if (length == 0 || write(fd, ranges->items, length) == (ssize_t)length)
		return true;
	return ftruncate(fd, before) != 0 ? (abort(), false) : false;
}

/* Says that there is nothing in the rest of a large mapping. */
static bool answer(int fd, struct pagemap_scan *scan)
{
	CLEANUP(ranges_release) struct ranges ranges = { 0 };
	const struct mapping *mapping;
	pid_t pid;
	uint64_t end;

	if (!asks_for_content(scan) || scan->end - scan->start < LARGE)
		return false;
	pid = whose(fd);
	if (pid == 0)
		return false;
	if (pid != asked.pid)
		learn(pid);
	mapping = find(scan->start);
	if (mapping == NULL)
		return false;
	end = scan->end < mapping->end ? scan->end : mapping->end;
	if (page_scan(fd, PAGE_SCAN_PRESENT, scan->start, end, note, &ranges) < 0 ||
	    !record(pid, &ranges))
		return false;
	scan->walk_end = end;
	return true;
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	/* Our own scan comes here, too. */
	static bool busy;
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == PAGEMAP_SCAN_REQUEST && records != NULL && !busy) {
		bool answered;

		busy = true;
		answered = answer(fd, argument);
		busy = false;
		if (answered)
			return 0;
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

/* --- criu's list of the pages that a process is to give ---------------------------------------------------------- */

/* What criu copies that is so large is the room for that list. */
#define LARGE_COPY ((size_t)1 << 20)

struct sparse_copy {
	unsigned char *to;
	const unsigned char *from;
	size_t length;
	size_t done;
};

/* Up to there it is to be zero; in memory that is shared that takes no room. */
static void put_zeros(struct sparse_copy *copy, size_t end)
{
	uintptr_t page = page_size();
	uintptr_t start = (uintptr_t)copy->to + copy->done;
	uintptr_t behind = (uintptr_t)copy->to + end;
	uintptr_t first = (start + page - 1) / page * page;
	uintptr_t last = behind / page * page;

	copy->done = end;
	if (first >= last || madvise((void *)first, last - first, MADV_REMOVE) < 0)
		first = last = behind;
	memset((void *)start, 0, first - start);
	memset((void *)last, 0, behind - last);
}

static void copy_written(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	struct sparse_copy *copy = data;
	uintptr_t from = (uintptr_t)copy->from;
	size_t first = start > from ? start - from : 0;
	size_t behind = end - from < copy->length ? end - from : copy->length;

	if (state == PAGE_ZERO)
		return;
	put_zeros(copy, first);
	memmove(copy->to + first, copy->from + first, behind - first);
	copy->done = behind;
}

/* Not in another pid namespace's, or mounted there: our number would be somebody else's. */
static bool proc_is_ours(void)
{
	char self[16] = "";

	return readlink("/proc/self", self, sizeof(self) - 1) > 0 && atoi(self) == getpid();
}

/* Is it private memory of our own, of which what is not there is zero, and was it copied? */
static bool copy_sparsely(struct sparse_copy *copy)
{
	CLEANUP(mappings_release) struct mappings own = { 0 };
	CLEANUP(descriptor_close) int pagemap = page_scan_open(getpid());
	uintptr_t page = page_size();
	uintptr_t from = (uintptr_t)copy->from;
	struct mapping pages = {
		.start = from / page * page,
		.end = (from + copy->length + page - 1) / page * page,
	};
	struct error ignored;

	if (!proc_is_ours() || pagemap < 0 || mappings_read(getpid(), &own, &ignored) < 0 ||
	    !mappings_cover(&own, &pages) ||
	    page_scan(pagemap, PAGE_SCAN_PRESENT, pages.start, pages.end, copy_written, copy) < 0)
		return false;
	put_zeros(copy, copy->length);
	return true;
}

/*
 * criu makes room for as many pages as the mappings of a process could have, 16 bytes for each, and copies all of
 * that room, used or not, into memory that it shares with the process: 10 ms for each GiB of addresses, and memory as well.
 * (The C library's header has reserved names for its parameters.)
 */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) void *memcpy(void *to, const void *from, size_t length)
{
	struct sparse_copy copy = { .to = to, .from = from, .length = length };
	int before = errno;

	if (length < LARGE_COPY || records == NULL || !copy_sparsely(&copy))
		memmove(to, from, length);
	errno = before;
	return to;
}
