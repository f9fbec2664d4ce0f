// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages are told of once each and in order, also where there are more ranges than the kernel finds at a time. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/page_scan.h"
#include "unit.h"

#define RANGES 2700

struct seen {
	uint64_t next; /* the page that is to come */
	size_t ranges;
};

/* Every other page was written. */
static void note(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	struct seen *seen = data;

	assert_int_equal(start, seen->next);
	assert_int_equal(end, start + page_size());
	assert_int_equal(state, PAGE_WRITTEN);
	seen->next = start + 2 * page_size();
	seen->ranges++;
}

static void test_many_ranges(void **state)
{
	size_t size = 2 * RANGES * page_size();
	int pagemap = page_scan_open(getpid());
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct seen seen = { .next = (uintptr_t)memory };

	(void)state;
	assert_true(memory != MAP_FAILED && pagemap >= 0);
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < RANGES; i++)
		memory[2 * i * page_size()] = 1;
	assert_int_equal(
		page_scan(pagemap, PAGE_SCAN_PRESENT, seen.next, seen.next + size, note, &seen), 0);
	assert_int_equal(seen.ranges, RANGES);
	munmap(memory, size);
	close(pagemap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_ranges),
	};

	return RUN_ALL(tests);
}
