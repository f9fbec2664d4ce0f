// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory that has arrived for a process: what is data, what is zero and what has not come, at every edge; and
 * that it takes no room any more when it is given away. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/image_stream.h"
#include "system/memory_store.h"
#include "temporary.h"

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))

static struct error err;

static void put_pages(uint64_t first, uint64_t count)
{
	CLEANUP(memory_release) char *path = in_temporary("7");
	CLEANUP(descriptor_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CLEANUP(memory_release) char *bytes = memory_allocate(count, PAGE);

	memset(bytes, 5, count * PAGE);
	assert_int_equal(pwrite(fd, bytes, count * PAGE, (off_t)(first * PAGE)), count * PAGE);
}

static void put_awaited(const uint64_t *pages, size_t ranges)
{
	CLEANUP(text_release) struct text list = { 0 };

	for (size_t i = 0; i < 2 * ranges; i++) {
		uint64_t bytes = pages[i] * PAGE;

		text_append(&list, &bytes, sizeof(bytes));
	}
	free(put_bytes("7" IMAGE_MISSING_SUFFIX, list.bytes, list.length));
}

static struct memory_store *open_store(void)
{
	struct memory_store *store = memory_store_open(temporary, 7, &err);

	if (store == NULL)
		fail_msg("%s", err.text);
	return store;
}

/* A letter for each page: what one look from there on says, and what all looks together say. */
static void assert_looks(const char *expected)
{
	static const char letters[] = {
		[STORE_ZERO] = '0', [STORE_DATA] = 'd', [STORE_AWAITED] = '?'
	};
	struct memory_store *store = open_store();
	uint64_t pages = strlen(expected);

	for (uint64_t from = 0; from < pages; from++)
		for (uint64_t to = from + 1; to <= pages; to++) {
			uint64_t length = (to - from) * PAGE;
			uint64_t found = 0;
			int kind =
				memory_store_look(store, from * PAGE, length, length, &found, &err);
			uint64_t same = from;

			assert_true(kind >= 0);
			assert_int_equal(letters[kind], expected[from]);
			while (same < to && expected[same] == expected[from])
				same++;
			/* It may stop early where awaited ranges meet, but says something. */
			assert_true(found % PAGE == 0 && found >= PAGE &&
				    found <= (same - from) * PAGE);
			if (kind != STORE_AWAITED)
				assert_int_equal(found, (same - from) * PAGE);
			kind = memory_store_look(store, from * PAGE, length, PAGE, &found, &err);
			assert_int_equal(letters[kind], expected[from]);
			if (kind == STORE_DATA)
				assert_int_equal(found, PAGE);
		}
	memory_store_release(&store);
}

static void test_data_and_zeros(void **state)
{
	(void)state;
	put_pages(2, 2);
	put_pages(6, 1);
	assert_looks("00dd00d000");
}

static void test_awaited(void **state)
{
	static const uint64_t ranges[] = { 1, 4, 5, 1, 8, 100 };

	(void)state;
	put_pages(2, 2);
	put_pages(5, 2);
	put_awaited(ranges, 3);
	assert_looks("0?dd?dd0???");
}

static void test_nothing_at_all(void **state)
{
	static const uint64_t ranges[] = { 3, 1 };

	(void)state;
	free(put_file("7", ""));
	assert_looks("00000");
	put_awaited(ranges, 1);
	assert_looks("000?0");
}

static off_t blocks(void)
{
	CLEANUP(memory_release) char *path = in_temporary("7");
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_blocks;
}

static void test_room(void **state)
{
	struct memory_store *store;
	struct memory_store *shared;
	const char *bytes;
	off_t before;

	(void)state;
	put_pages(0, 64);
	store = open_store();
	bytes = memory_store_map(store, 16 * PAGE, 2 * PAGE, &err);
	assert_non_null(bytes);
	assert_int_equal(bytes[2 * PAGE - 1], 5);
	memory_store_unmap(bytes, 2 * PAGE);
	before = blocks();
	memory_store_forget(store, 0, 32 * PAGE);
	assert_true(blocks() < before);
	/* Two have it: what one was given the other may still need. */
	before = blocks();
	shared = memory_store_share(store);
	memory_store_forget(store, 32 * PAGE, 32 * PAGE);
	assert_int_equal(blocks(), before);
	memory_store_release(&shared);
	assert_null(shared);
	assert_int_equal(blocks(), before);
	memory_store_release(&store);
	assert_int_equal(blocks(), 0);
	memory_store_release(&store);
}

static void test_wanting(void **state)
{
	CLEANUP(memory_release) char *path = in_temporary(IMAGE_WANTED);
	CLEANUP(descriptor_close) int fifo = -1;
	struct memory_store *store;
	struct image_request request;

	(void)state;
	put_pages(0, 1);
	store = open_store();
	assert_false(memory_store_want(store, PAGE));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(memory_store_want(store, PAGE));
	fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(memory_store_want(store, 3 * PAGE));
	assert_int_equal(read(fifo, &request, sizeof(request)), sizeof(request));
	assert_int_equal(request.process, 7);
	assert_true(request.address == 3 * PAGE);
	while (memory_store_want(store, PAGE))
		;
	while (read(fifo, &request, sizeof(request)) > 0)
		;
	assert_true(memory_store_want(store, PAGE));
	memory_store_release(&store);
}

/* Nobody receives any more: what has come is there, and the rest never will be. */
static void test_what_is_lost(void **state)
{
	static const uint64_t ranges[] = { 1, 2 };
	CLEANUP(memory_release) char *path = in_temporary(IMAGE_WANTED);
	CLEANUP(descriptor_close) int fifo = -1;
	struct memory_store *store;

	(void)state;
	put_pages(0, 1);
	put_awaited(ranges, 1);
	store = open_store();
	assert_true(memory_store_is_lost(store, PAGE));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(memory_store_is_lost(store, PAGE));
	fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_false(memory_store_is_lost(store, PAGE));
	/* That we write to it does not count. */
	assert_true(memory_store_want(store, PAGE));
	descriptor_close(&fifo);
	assert_true(memory_store_is_lost(store, PAGE));
	put_pages(1, 1);
	assert_false(memory_store_is_lost(store, PAGE));
	assert_true(memory_store_is_lost(store, 2 * PAGE));
	assert_false(memory_store_is_lost(store, 3 * PAGE));
	memory_store_release(&store);
}

static void test_what_is_no_store(void **state)
{
	static const uint64_t lists[][2] = { { 0, 0 }, { 1, 1ULL << 51 }, { 1ULL << 51, 1 } };
	CLEANUP(memory_release) char *path = in_temporary("8");

	(void)state;
	assert_null(memory_store_open(temporary, 7, &err));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(memory_store_open(temporary, 8, &err));
	put_pages(0, 1);
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		put_awaited(lists[i], 1);
		assert_null(memory_store_open(temporary, 7, &err));
		assert_non_null(strstr(err.text, IMAGE_MISSING_SUFFIX));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_data_and_zeros),	  FILE_TEST(test_awaited),
		FILE_TEST(test_nothing_at_all),	  FILE_TEST(test_room),
		FILE_TEST(test_wanting),	  FILE_TEST(test_what_is_lost),
		FILE_TEST(test_what_is_no_store),
	};

	return RUN_ALL(tests);
}
