// SPDX-License-Identifier: GPL-2.0-or-later
/* The library that answers for criu what large memory has, loaded into this program as into criu; and what it wrote
 * down coming into criu's images. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/program.h"
#include "pagemap_write.h"
#include "system/left_pages.h"
#include "system/page_scan.h"
#include "system/pagemap_image.h"
#include "system/pagemap_scan.h"
#include "temporary.h"

#define MIB ((size_t)1 << 20)
#define LARGE (32 * MIB)

static struct error err;

/* --- what is run with the library: prints what it hears, asking as criu does ------------------------------------- */

struct heard {
	long count;
	uint64_t walk_end;
};

static struct heard ask(int pagemap, uint64_t start, uint64_t end, bool for_guards)
{
	static struct pagemap_scan_region regions[4096];
	struct pagemap_scan scan = {
		.size = sizeof(scan),
		.start = start,
		.end = end,
		.regions = (uintptr_t)regions,
		.region_count = 4096,
		.category_inverted = for_guards ? 0 : PAGEMAP_IS_ZERO,
		.category_mask = for_guards ? PAGEMAP_IS_WRITTEN : PAGEMAP_IS_ZERO,
		.category_anyof_mask = for_guards ? 0 : PAGEMAP_IS_PRESENT | PAGEMAP_IS_SWAPPED,
		.return_mask = PAGEMAP_IS_PRESENT,
	};
	long count = ioctl(pagemap, PAGEMAP_SCAN_REQUEST, &scan);

	return (struct heard){ count, scan.walk_end };
}

static char *map(size_t size, int flags)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		exit(9);
	madvise(memory, size, MADV_NOHUGEPAGE);
	return memory;
}

/* Of each mapping two pages next to each other, and one more, are written; one is only read. */
static void touch(char *memory)
{
	memory[3 * page_size()] = 1;
	memory[4 * page_size()] = 1;
	memory[9 * page_size()] = 1;
	(void)*(volatile char *)(memory + 20 * page_size());
}

static void ask_of(const char *what, int pagemap, size_t size, int flags, bool for_guards)
{
	char *memory = map(size, flags);
	uint64_t start = (uintptr_t)memory;
	struct heard heard;

	touch(memory);
	heard = ask(pagemap, start, start + size, for_guards);
	printf("%s %ld%s\n", what, heard.count, heard.walk_end == start + size ? "" : " early");
	if (strcmp(what, "large") == 0)
		printf("at %llx of %d\n", (unsigned long long)start, (int)getpid());
}

/* Room for a list of which only the beginning, and something in the middle, was ever written; copied by criu's means, to
 * where something else has been. */
static void copy_room(const char *what, size_t size, char *from, size_t offset)
{
	static void *(*volatile copy)(void *to, const void *from, size_t length) = memcpy;
	int file = memfd_create("to", MFD_CLOEXEC);
	struct stat status;
	char *to;

	if (ftruncate(file, (off_t)(2 * size)) < 0)
		exit(9);
	to = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	memset(to + size / 2, 5, 3 * page_size());
	touch(from + size / 2);
	memset(from, 7, page_size() + 9);
	copy(to + 100, from + offset, size - 100);
	fstat(file, &status);
	printf("%s: %s, %d pages\n", what,
	       memcmp(to + 100, from + offset, size - 100) == 0 ? "the same" : "another",
	       (int)((uint64_t)status.st_blocks * 512 / page_size()));
	munmap(to, 2 * size);
	close(file);
}

static int be_asked_to_copy(void)
{
	char *from = map(8 * MIB, MAP_PRIVATE);
	FILE *file = tmpfile();
	char *other;

	copy_room("aligned", 4 * MIB, from, 100);
	copy_room("not aligned", 4 * MIB, from, 16);
	copy_room("small", MIB / 2, map(MIB, MAP_PRIVATE), 100);
	if (file == NULL || ftruncate(fileno(file), (off_t)(8 * MIB)) < 0)
		return 9;
	other = mmap(NULL, 8 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
	copy_room("a file's", 4 * MIB, other, 100);
	return 0;
}

static int be_asked(bool with_locked)
{
	int pagemap = page_scan_open(getpid());

	if (with_locked && mlock2(map(LARGE, MAP_PRIVATE), LARGE, MLOCK_ONFAULT) < 0)
		return 8;
	ask_of("small", pagemap, MIB, MAP_PRIVATE, false);
	ask_of("large", pagemap, LARGE, MAP_PRIVATE, false);
	ask_of("guards", pagemap, LARGE, MAP_PRIVATE, true);
	ask_of("shared", pagemap, LARGE, MAP_SHARED, false);
	return 0;
}

/* --- the tests --------------------------------------------------------------------------------------------------- */

static char *library(void)
{
	CLEANUP(memory_release) char *own = process_own_path();
	CLEANUP(memory_release) char *tests = file_parent(own);
	CLEANUP(memory_release) char *build = file_parent(tests);

	return memory_format("%s/criu-pages.so", build);
}

/* Runs this program with the library, and with records in this directory; what it hears. On a kernel that criu does
 * not ask like this there is nothing to be heard. */
static bool run(const char *records, const char *mode, struct text *output)
{
	CLEANUP(memory_release) char *own = process_own_path();
	CLEANUP(memory_release) char *path = library();
	CLEANUP(memory_release) char *preload = memory_format("LD_PRELOAD=%s", path);
	CLEANUP(memory_release) char *variable = memory_format(LEFT_PAGES_VARIABLE "=%s", records);
	/* The sanitizers' own libraries want to be the first. */
	const char *const environment[] = { preload, variable,
					    "ASAN_OPTIONS=verify_asan_link_order=0", NULL };
	struct process_options options = {
		.argv = (const char *const[]){ own, mode, NULL },
		.environment = environment,
		PROCESS_DEFAULTS,
	};

	if (!page_scan_is_fast()) {
		printf("# not tried: this kernel has no PAGEMAP_SCAN\n");
		return false;
	}
	if (process_run(&options, 20000, output, &err) < 0)
		fail_msg("%s", err.text);
	return true;
}

static void assert_heard(const struct text *output, const char *line)
{
	if (strstr(text_string(output), line) == NULL)
		fail_msg("no '%s' in: %s", line, text_string(output));
}

/* Whose record, and from where on, by what it printed. */
static char *record_of(const struct text *output, uint64_t *start)
{
	const char *line = strstr(text_string(output), "at ");
	unsigned long long at;
	int pid;

	assert_non_null(line);
	assert_int_equal(sscanf(line, "at %llx of %d", &at, &pid), 2);
	*start = at;
	return memory_format("%s/%d", temporary, pid);
}

static void test_large_memory(void **state)
{
	CLEANUP(text_release) struct text output = { 0 };
	CLEANUP(memory_release) char *record = NULL;
	struct left_pages expected[2];
	uint64_t start;

	(void)state;
	if (!run(temporary, "be-asked", &output))
		return;
	assert_heard(&output, "small 2\n");
	assert_heard(&output, "large 0\n");
	assert_null(strstr(text_string(&output), "guards 0\n"));
	/* What is only read is there, too. */
	assert_heard(&output, "shared 3\n");
	record = record_of(&output, &start);
	expected[0] = (struct left_pages){ start + 3 * page_size(), start + 5 * page_size() };
	expected[1] = (struct left_pages){ start + 9 * page_size(), start + 10 * page_size() };
	assert_file_is(record, expected, sizeof(expected));
}

/* criu leaves no locked memory to us. Which is locked is not known, but this much could be. */
static void test_as_much_is_locked(void **state)
{
	CLEANUP(text_release) struct text output = { 0 };

	(void)state;
	if (!run(temporary, "be-asked-with-locked", &output))
		return;
	assert_heard(&output, "large 2\n");
}

/* Written: two pages at the beginning, and three in the middle; not aligned each part of pages touches one more. */
static void test_room_that_is_copied(void **state)
{
	CLEANUP(text_release) struct text output = { 0 };

	(void)state;
	if (!run(temporary, "be-asked-to-copy", &output))
		return;
	assert_heard(&output, "aligned: the same, 5 pages\n");
	assert_heard(&output, "not aligned: the same, 8 pages\n");
	assert_heard(&output, "small: the same, 128 pages\n");
	assert_heard(&output, "a file's: the same, 1024 pages\n");
}

/* Then the kernel answers. */
static void test_records_cannot_be_written(void **state)
{
	CLEANUP(memory_release) char *missing = in_temporary("missing");
	CLEANUP(text_release) struct text output = { 0 };

	(void)state;
	if (!run(missing, "be-asked", &output))
		return;
	assert_heard(&output, "large 2\n");
	assert_false(file_exists(missing));
}

/* This process, as the first and only one of a container: its images and its record. */
static char *put_image(const struct pagemap_range *ranges, size_t count)
{
	CLEANUP(memory_release) char *name = memory_format("pagemap-%d.img", (int)getpid());
	CLEANUP(text_release) struct text bytes = { 0 };

	add_head(&bytes, 5);
	for (size_t i = 0; i < count; i++)
		add_entry(&bytes, ranges[i].start, ranges[i].pages, ranges[i].flags);
	return put_bytes(name, text_string(&bytes), bytes.length);
}

static int add(pid_t pid, const struct left_pages *pages, size_t count, int64_t *left)
{
	CLEANUP(memory_release) char *records = in_temporary("records");
	CLEANUP(memory_release) char *name = memory_format("records/%d", (int)pid);

	assert_int_equal(file_make_directory(records, 0700, &err), 1);
	memory_release((char *[]){ put_bytes(name, pages, count * sizeof(*pages)) });
	return left_pages_add(records, getpid(), temporary, left, &err);
}

static void test_image_gets_them(void **state)
{
	const uint64_t page = page_size();
	const struct pagemap_range before[] = { { 8 * page, 2, PAGEMAP_PRESENT },
						{ 90 * page, 1, PAGEMAP_LAZY } };
	const struct left_pages pages[] = { { 2 * page, 3 * page }, { 10 * page, 60 * page } };
	const struct pagemap_range after[] = { { 2 * page, 1, PAGEMAP_LAZY },
					       { 8 * page, 2, PAGEMAP_PRESENT },
					       { 10 * page, 50, PAGEMAP_LAZY },
					       { 90 * page, 1, PAGEMAP_LAZY } };
	CLEANUP(memory_release) char *path = put_image(before, COUNT_OF(before));
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
	int64_t left;

	(void)state;
	assert_int_equal(add(getpid(), pages, COUNT_OF(pages), &left), 0);
	assert_int_equal(left, 51 * page);
	assert_int_equal(pagemap_image_read(path, &image, &err), 0);
	assert_int_equal(image.pages_id, 5);
	assert_int_equal(image.count, COUNT_OF(after));
	for (size_t i = 0; i < COUNT_OF(after); i++) {
		assert_int_equal(image.ranges[i].start, after[i].start);
		assert_int_equal(image.ranges[i].pages, after[i].pages);
		assert_int_equal(image.ranges[i].flags, after[i].flags);
	}
}

/* criu said something of a page of which it did not hear: nothing of it can be relied upon. */
static void test_image_has_them(void **state)
{
	const uint64_t page = page_size();
	const struct pagemap_range before[] = { { 8 * page, 2, PAGEMAP_PRESENT } };
	const struct left_pages pages[] = { { 9 * page, 10 * page } };
	CLEANUP(memory_release) char *path = put_image(before, COUNT_OF(before));
	int64_t left;

	(void)state;
	assert_int_equal(add(getpid(), pages, COUNT_OF(pages), &left), -1);
	assert_non_null(strstr(err.text, "twice"));
}

static void test_process_has_gone(void **state)
{
	const struct left_pages pages[] = { { 0, page_size() } };
	pid_t child = fork();
	int64_t left;

	(void)state;
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(add(child, pages, COUNT_OF(pages), &left), -1);
	assert_non_null(strstr(err.text, "ended"));
}

static void test_no_records(void **state)
{
	CLEANUP(memory_release) char *missing = in_temporary("missing");
	int64_t left = 1;

	(void)state;
	assert_int_equal(left_pages_add(missing, getpid(), temporary, &left, &err), 0);
	assert_int_equal(left, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_large_memory),	     FILE_TEST(test_as_much_is_locked),
		FILE_TEST(test_room_that_is_copied), FILE_TEST(test_records_cannot_be_written),
		FILE_TEST(test_image_gets_them),     FILE_TEST(test_image_has_them),
		FILE_TEST(test_process_has_gone),    FILE_TEST(test_no_records),
	};

	if (argc > 1 && strcmp(argv[1], "be-asked-to-copy") == 0)
		return be_asked_to_copy();
	if (argc > 1)
		return be_asked(strcmp(argv[1], "be-asked-with-locked") == 0);
	return RUN_ALL(tests);
}
