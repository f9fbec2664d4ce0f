// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages that are found by what is in them: each once, by another process too, and nothing that is not there. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/content_index.h"
#include "system/page_scan.h"
#include "system/sent_pages.h"
#include "unit.h"

static struct error err;

static int make(void **state)
{
	static struct content_index index;

	*state = &index;
	return content_index_make(&index, &err);
}

static int release(void **state)
{
	content_index_release(*state);
	return 0;
}

/* Some page that is no other's. */
static struct page_hash hash_of(uint64_t number)
{
	return (struct page_hash){ { number * 0x9e3779b97f4a7c15ULL, number } };
}

static uint64_t offset_of(uint32_t number, uint32_t page)
{
	return number * PAGE_BLOCK_SIZE + page * page_size();
}

static void assert_claim(struct content_index *index, uint64_t number, uint32_t object,
			 uint64_t offset)
{
	struct content_place place = { 0 };

	assert_true(content_index_claim(index, hash_of(number), &place));
	assert_int_equal(place.object, object);
	assert_int_equal(place.offset, offset);
}

static void assert_nothing(struct content_index *index, uint64_t number)
{
	struct content_place place;

	assert_false(content_index_claim(index, hash_of(number), &place));
}

static void test_found_once(void **state)
{
	struct content_index *index = *state;
	uint32_t one = content_index_take(index, 1, 7);
	uint32_t two = content_index_take(index, 2, 0);

	assert_false(content_index_has_any(index));
	for (uint32_t i = 0; i < index->pages; i++)
		content_index_hashes(index, one)[i] = hash_of(i + 1);
	content_index_hashes(index, two)[1] = hash_of(1000);
	/* What has not been confirmed is not found. */
	assert_false(content_index_has_any(index));
	content_index_build(index);
	assert_true(content_index_has_any(index));
	assert_claim(index, 1000, 2, offset_of(0, 1));
	for (uint32_t i = index->pages; i-- > 0;)
		assert_claim(index, i + 1, 1, offset_of(7, i));
	for (uint32_t i = 0; i < index->pages; i++)
		assert_nothing(index, i + 1);
	assert_nothing(index, 1000);
	assert_nothing(index, 2000);
}

/* As many as there are, in their order, also when there are very many; and zeros are never there. */
static void test_alike(void **state)
{
	struct content_index *index = *state;
	const uint32_t blocks = 1000;
	struct content_place place;

	for (uint32_t i = 0; i < blocks; i++) {
		uint32_t block = content_index_take(index, 1, i);

		/* The first page of each is zeros, the second its own, and all others are alike. */
		content_index_hashes(index, block)[1] = hash_of(100 + i);
		for (uint32_t k = 2; k < index->pages; k++)
			content_index_hashes(index, block)[k] = hash_of(5);
	}
	content_index_build(index);
	for (uint32_t i = 0; i < blocks; i++) {
		assert_claim(index, 100 + i, 1, offset_of(i, 1));
		for (uint32_t k = 2; k < index->pages; k++)
			assert_claim(index, 5, 1, offset_of(i, k));
	}
	assert_nothing(index, 5);
	assert_false(content_index_claim(index, (struct page_hash)PAGE_HASH_ZERO, &place));
}

/* An object above the last that 32 bits of bytes would reach, and one that is given back. */
static void test_places(void **state)
{
	struct content_index *index = *state;
	uint32_t far = content_index_take(index, 9, CONTENT_BLOCKS_MAX - 1);
	uint32_t gone = content_index_take(index, 8, 1);
	uint32_t again;

	content_index_hashes(index, far)[0] = hash_of(1);
	content_index_hashes(index, gone)[0] = hash_of(2);
	content_index_drop(index, gone);
	content_index_build(index);
	assert_claim(index, 1, 9, (CONTENT_BLOCKS_MAX - 1) * PAGE_BLOCK_SIZE);
	assert_nothing(index, 2);
	again = content_index_take(index, 7, 3);
	assert_int_equal(again, gone);
	content_index_build(index);
	/* It is zeros, whatever was there. */
	assert_nothing(index, 2);
	assert_claim(index, 1, 9, (CONTENT_BLOCKS_MAX - 1) * PAGE_BLOCK_SIZE);
}

/* When there is no room for more there is none; what is given back is room. */
static void test_full(void **state)
{
	struct content_index *index = *state;

	index->capacity = 5;
	for (uint32_t i = 0; i < 5; i++)
		assert_true(content_index_take(index, 1, i) != CONTENT_NONE);
	assert_int_equal(content_index_take(index, 1, 5), CONTENT_NONE);
	content_index_drop(index, 1);
	content_index_drop(index, 4);
	assert_true(content_index_take(index, 2, 0) != CONTENT_NONE);
	assert_true(content_index_take(index, 2, 1) != CONTENT_NONE);
	assert_int_equal(content_index_take(index, 2, 2), CONTENT_NONE);
}

/* What one process notes, another finds. */
static void test_shared(void **state)
{
	struct content_index *index = *state;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		content_index_hashes(index, content_index_take(index, 3, 4))[2] = hash_of(77);
		content_index_build(index);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_claim(index, 77, 3, offset_of(4, 2));
}

static void test_names(void **state)
{
	char name[CONTENT_NAME_SIZE];

	(void)state;
	content_name(UINT32_MAX, name);
	assert_string_equal(name, "content-4294967295");
}

#define INDEX_TEST(function) cmocka_unit_test_setup_teardown(function, make, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INDEX_TEST(test_found_once), INDEX_TEST(test_alike),  INDEX_TEST(test_places),
		INDEX_TEST(test_full),	     INDEX_TEST(test_shared), INDEX_TEST(test_names),
	};

	return RUN_ALL(tests);
}
