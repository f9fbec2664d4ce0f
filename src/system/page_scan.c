// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for asking the kernel which pages a process has and has written. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/page_scan.h"
#include "system/pagemap_scan.h"

/* What each kind of scan asks for. The kernel's zeros are never protected, so that they count as written. */
static const struct query {
	uint64_t flags;
	uint64_t without; /* pages that are this are left out */
	uint64_t only;	  /* ... and those that are not this */
	uint64_t tell;
	uint64_t written; /* any of these; 0: all are */
} queries[] = {
	[PAGE_SCAN_PRESENT] = { .tell = PAGEMAP_IS_ZERO },
	[PAGE_SCAN_PROTECT] = { PAGEMAP_SCAN_CHECK | PAGEMAP_SCAN_PROTECT, PAGEMAP_IS_ZERO, 0,
				PAGEMAP_IS_WRITTEN, PAGEMAP_IS_WRITTEN },
	[PAGE_SCAN_WRITTEN] = { PAGEMAP_SCAN_CHECK, 0, PAGEMAP_IS_WRITTEN,
				PAGEMAP_IS_WRITTEN | PAGEMAP_IS_ZERO, PAGEMAP_IS_WRITTEN },
	[PAGE_SCAN_SOFT_DIRTY] = { 0, 0, 0, PAGEMAP_IS_SOFT_DIRTY | PAGEMAP_IS_ZERO,
				   PAGEMAP_IS_SOFT_DIRTY },
};

/* Entries of pagemap (Documentation/admin-guide/mm/pagemap.rst). A page of a private anonymous mapping that is
 * none of its own is the huge page of zeros. */
#define ENTRY_FRAME (((uint64_t)1 << 55) - 1)
#define ENTRY_SOFT_DIRTY ((uint64_t)1 << 55)
#define ENTRY_GUARD ((uint64_t)1 << 58)
#define ENTRY_FOREIGN ((uint64_t)1 << 61)
#define ENTRY_PRESENT ((uint64_t)1 << 63)
#define ENTRY_THERE ((uint64_t)3 << 62) /* present, swapped */

#define REGIONS 1024
#define ENTRIES 8192

uint64_t page_size(void)
{
	static uint64_t size;

	if (size == 0)
		size = (uint64_t)sysconf(_SC_PAGESIZE);
	return size;
}

int page_scan_open(pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/pagemap", (int)pid);

	return open(path, O_RDONLY | O_CLOEXEC);
}

static long scan(int pagemap, const struct query *query, struct pagemap_scan *request)
{
	/* Not every kernel knows guards. */
	static uint64_t guard = PAGEMAP_IS_GUARD;

	for (;;) {
		long count;

		request->category_inverted = query->without | guard;
		request->category_mask = query->without | query->only | guard;
		count = ioctl(pagemap, PAGEMAP_SCAN_REQUEST, request);
		if (count >= 0 || errno != EINVAL || guard == 0)
			return count;
		guard = 0;
	}
}

static enum page_state state_of(const struct query *query, uint64_t categories)
{
	if ((categories & PAGEMAP_IS_ZERO) != 0)
		return PAGE_ZERO;
	return query->written == 0 || (categories & query->written) != 0 ? PAGE_WRITTEN : PAGE_SAME;
}

static int scan_range(int pagemap, const struct query *query, uint64_t start, uint64_t end,
		      page_visitor *visit, void *data)
{
	struct pagemap_scan_region regions[REGIONS];
	struct pagemap_scan request = {
		.size = sizeof(request),
		.flags = query->flags,
		.start = start,
		.end = end,
		.regions = (uintptr_t)regions,
		.region_count = REGIONS,
		.category_anyof_mask = PAGEMAP_IS_PRESENT | PAGEMAP_IS_SWAPPED,
		.return_mask = query->tell,
	};

	while (request.start < end) {
		long count = scan(pagemap, query, &request);

		if (count < 0)
			return -1;
		for (long i = 0; i < count; i++)
			visit(data, regions[i].start, regions[i].end,
			      state_of(query, regions[i].categories));
		/* With more than 512 regions Linux, at least up to 6.18, says where the first 512 end. */
		if (count > 0 && request.walk_end < regions[count - 1].end)
			request.walk_end = regions[count - 1].end;
		if (request.walk_end <= request.start)
			return errno = EIO, -1;
		request.start = request.walk_end;
	}
	return 0;
}

/* The frame of the kernel's page of zeros; 0: it is not shown to us. */
static uint64_t zero_frame(void)
{
	static uint64_t frame = UINT64_MAX;
	CLEANUP(descriptor_close) int pagemap = -1;
	const volatile char *page;
	uint64_t entry = 0;

	if (frame != UINT64_MAX)
		return frame;
	frame = 0;
	pagemap = page_scan_open(getpid());
	page = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return frame;
	if (page[0] == 0 &&
	    pread(pagemap, &entry, sizeof(entry),
		  (off_t)((uintptr_t)page / page_size() * sizeof(entry))) == sizeof(entry))
		frame = entry & ENTRY_FRAME;
	munmap((void *)(uintptr_t)page, page_size());
	return frame;
}

static bool is_zero(uint64_t entry)
{
	return (entry & ENTRY_PRESENT) != 0 &&
	       ((entry & ENTRY_FOREIGN) != 0 ||
		((entry & ENTRY_FRAME) == zero_frame() && zero_frame() != 0));
}

/* -1: it is not there. */
static int entry_state(uint64_t entry, bool soft_dirty)
{
	if ((entry & ENTRY_THERE) == 0 || (entry & ENTRY_GUARD) != 0)
		return -1;
	if (is_zero(entry))
		return PAGE_ZERO;
	return soft_dirty && (entry & ENTRY_SOFT_DIRTY) == 0 ? PAGE_SAME : PAGE_WRITTEN;
}

/* The entries of some pages; neighbours that are alike are visited together. */
static void visit_entries(const uint64_t *entries, size_t count, uint64_t start, bool soft_dirty,
			  page_visitor *visit, void *data)
{
	uint64_t size = page_size();
	size_t end;

	for (size_t first = 0; first < count; first = end) {
		int state = entry_state(entries[first], soft_dirty);

		for (end = first + 1; end < count; end++)
			if (entry_state(entries[end], soft_dirty) != state)
				break;
		if (state >= 0)
			visit(data, start + first * size, start + end * size,
			      (enum page_state)state);
	}
}

static int read_range(int pagemap, bool soft_dirty, uint64_t start, uint64_t end,
		      page_visitor *visit, void *data)
{
	uint64_t entries[ENTRIES];
	uint64_t size = page_size();

	while (start < end) {
		uint64_t count = (end - start) / size;
		ssize_t got;

		if (count > ENTRIES)
			count = ENTRIES;
		got = pread(pagemap, entries, count * sizeof(*entries),
			    (off_t)(start / size * sizeof(*entries)));
		if (got < 0)
			return -1;
		/* The process has ended. */
		if (got < (ssize_t)sizeof(*entries))
			return 0;
		count = (uint64_t)got / sizeof(*entries);
		visit_entries(entries, count, start, soft_dirty, visit, data);
		start += count * size;
	}
	return 0;
}

int page_scan(int pagemap, enum page_scan_kind kind, uint64_t start, uint64_t end,
	      page_visitor *visit, void *data)
{
	if (kind == PAGE_SCAN_PROTECT || kind == PAGE_SCAN_WRITTEN || page_scan_is_fast())
		return scan_range(pagemap, &queries[kind], start, end, visit, data);
	return read_range(pagemap, kind == PAGE_SCAN_SOFT_DIRTY, start, end, visit, data);
}

static void ignore(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	(void)data;
	(void)start;
	(void)end;
	(void)state;
}

bool page_scan_can_protect(int pagemap, uint64_t page)
{
	return scan_range(pagemap, &queries[PAGE_SCAN_WRITTEN], page, page + page_size(), ignore,
			  NULL) == 0;
}

bool page_scan_is_fast(void)
{
	static int known = -1;

	if (known < 0) {
		CLEANUP(descriptor_close) int pagemap = page_scan_open(getpid());
		uint64_t start = (uintptr_t)&known / page_size() * page_size();

		known = pagemap >= 0 && scan_range(pagemap, &queries[PAGE_SCAN_PRESENT], start,
						   start + page_size(), ignore, NULL) == 0;
	}
	return known == 1;
}

int page_scan_clear_soft_dirty(pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/clear_refs", (int)pid);
	CLEANUP(descriptor_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "4", 1) == 1 ? 0 : -1;
}

static void note_written(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	(void)start;
	(void)end;
	*(bool *)data = state == PAGE_WRITTEN;
}

static bool is_soft_dirty(int pagemap, const void *page)
{
	bool written = false;

	if (page_scan(pagemap, PAGE_SCAN_SOFT_DIRTY, (uintptr_t)page, (uintptr_t)page + page_size(),
		      note_written, &written) < 0)
		return false;
	return written;
}

bool page_scan_has_soft_dirty(void)
{
	CLEANUP(descriptor_close) int pagemap = page_scan_open(getpid());
	volatile char *page =
		mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool before;
	bool cleared;
	bool after;

	if (page == MAP_FAILED)
		return false;
	/* Where zeros cannot be told, a page that was thrown away and read again would look the same. */
	if (!page_scan_is_fast() && zero_frame() == 0)
		return false;
	page[0] = 1;
	before = is_soft_dirty(pagemap, (const void *)(uintptr_t)page);
	cleared = page_scan_clear_soft_dirty(getpid()) == 0 &&
		  !is_soft_dirty(pagemap, (const void *)(uintptr_t)page);
	page[0] = 2;
	after = is_soft_dirty(pagemap, (const void *)(uintptr_t)page);
	munmap((void *)(uintptr_t)page, page_size());
	return before && cleared && after;
}
