// SPDX-License-Identifier: GPL-2.0-or-later
/* What is remembered of pages: mappings as the kernel lists them, hashes, and what the destination has. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/mappings.h"
#include "system/sent_pages.h"
#include "unit.h"

static struct error err;

static void test_hash_tells_pages_apart(void **state)
{
	CLEANUP(page_hash_key_release) struct page_hash_key key = { 0 };
	CLEANUP(page_hash_key_release) struct page_hash_key other = { 0 };
	static uint64_t page[8192];
	size_t words = page_size() / sizeof(*page);
	struct page_hash before;

	(void)state;
	assert_int_equal(page_hash_key_make(&key, &err), 0);
	assert_int_equal(page_hash_key_make(&other, &err), 0);
	assert_true(page_is_zero(page));
	for (size_t i = 0; i < words; i++)
		page[i] = i * 0x9e3779b97f4a7c15ULL;
	before = page_hash(&key, page);
	assert_true(page_hash_is_same(before, page_hash(&key, page)));
	assert_false(page_hash_is_same(before, page_hash(&other, page)));
	/* Each bit counts, wherever it is, in both halves. */
	for (size_t i = 0; i < words; i++)
		for (int bit = 0; bit < 64; bit++) {
			struct page_hash hash;

			page[i] ^= (uint64_t)1 << bit;
			hash = page_hash(&key, page);
			assert_true(hash.words[0] != before.words[0]);
			assert_true(hash.words[1] != before.words[1]);
			page[i] ^= (uint64_t)1 << bit;
		}
	/* The order too. */
	page[1] ^= page[2];
	page[2] ^= page[1];
	page[1] ^= page[2];
	assert_false(page_hash_is_same(before, page_hash(&key, page)));
	for (size_t i = 0; i < words; i++) {
		memset(page, 0, sizeof(page));
		page[i] = 1;
		assert_false(page_is_zero(page));
	}
}

static bool has(const struct mappings *mappings, const void *start, size_t size)
{
	struct mapping wanted = { (uintptr_t)start, (uintptr_t)start + size };

	return mappings_cover(mappings, &wanted);
}

static void test_mappings_are_found(void **state)
{
	CLEANUP(mappings_release) struct mappings mappings = { 0 };
	size_t size = 4 * page_size();
	int both = PROT_READ | PROT_WRITE;
	char *private = mmap(NULL, size, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, size, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *closed = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int on_stack = 0;

	(void)state;
	assert_int_equal(mappings_read(getpid(), &mappings, &err), 0);
	assert_true(has(&mappings, private, size));
	assert_true(has(&mappings, closed, size));
	assert_false(has(&mappings, shared, size));
	assert_true(has(&mappings, &on_stack, sizeof(on_stack)));
	/* What has a file, and what the kernel puts there. */
	assert_false(has(&mappings, (const void *)(uintptr_t)test_mappings_are_found, 1));
	for (size_t i = 1; i < mappings.count; i++)
		assert_true(mappings.items[i - 1].end <= mappings.items[i].start);
	munmap(private, size);
	munmap(shared, size);
	munmap(closed, size);
	/* A process that is not there has none. */
	assert_int_equal(mappings_read(1 << 22, &mappings, &err), 0);
	assert_int_equal(mappings.count, 0);
}

static void test_mappings_cover(void **state)
{
	CLEANUP(mappings_release) struct mappings mappings = { 0 };
	static const struct {
		struct mapping mapping;
		bool covered;
	} cases[] = {
		{ { 10, 20 }, true },  { { 10, 30 }, true },  { { 15, 25 }, true },
		{ { 9, 20 }, false },  { { 10, 31 }, false }, { { 25, 45 }, false },
		{ { 40, 50 }, true },  { { 30, 40 }, false }, { { 49, 51 }, false },
		{ { 90, 91 }, false },
	};

	(void)state;
	mappings_add(&mappings, 10, 20);
	mappings_add(&mappings, 20, 30);
	mappings_add(&mappings, 40, 50);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(mappings_cover(&mappings, &cases[i].mapping), cases[i].covered);
}

#define BASE (5 * PAGE_BLOCK_SIZE)
#define AT(number) (BASE + (uint64_t)(number)*page_size())
#define BIT(number) ((uint64_t)1 << (number))

static void scan_pages(struct sent_pages *sent, unsigned int first, unsigned int end,
		       enum page_state state)
{
	sent_pages_begin(sent);
	sent_pages_note(sent, AT(first), AT(end), state);
	sent_pages_finish(sent, false);
}

static void test_pages_are_remembered(void **state)
{
	CLEANUP(sent_pages_release) struct sent_pages sent = { 0 };
	struct page_hash hashes[64] = { 0 };
	struct page_block *block;

	(void)state;
	for (size_t i = 1; i < 64; i++)
		hashes[i] = (struct page_hash){ { i, ~i } };
	scan_pages(&sent, 2, 6, PAGE_WRITTEN);
	assert_int_equal(sent.resident, 4);
	assert_int_equal(sent.changed, 4);
	block = sent_pages_block(&sent, BASE);
	assert_int_equal(block->open, 0x3c);
	sent_pages_know(block, 0x3c, hashes);
	assert_int_equal(block->open, 0);
	assert_int_equal(block->filled, 0x3c);
	/* Others come, before, between and behind; each keeps its own. */
	sent_pages_know(block, BIT(0) | BIT(1) | BIT(10) | BIT(11), hashes);
	for (unsigned int i = 0; i < 64; i++)
		if ((block->known & BIT(i)) != 0)
			assert_true(page_hash_is_same(sent_pages_hash(block, BIT(i)), hashes[i]));
	/* The zeros of page 0 fill nothing. */
	assert_int_equal(block->known, 0x3f | BIT(10) | BIT(11));
	assert_int_equal(block->filled, 0x3e | BIT(10) | BIT(11));
	/* Unchanged and known: only what was found changed the last time is open once more. */
	block->recent = BIT(3);
	scan_pages(&sent, 1, 6, PAGE_SAME);
	assert_int_equal(block->open, BIT(3));
	/* Of a page of zeros that is not there any more nothing is known. */
	assert_int_equal(block->known, 0x3e | BIT(10) | BIT(11));
	assert_int_equal(sent.changed, 0);
	assert_int_equal(sent.resident, 5);
	/* What is there and not known is open. */
	scan_pages(&sent, 1, 8, PAGE_SAME);
	assert_int_equal(block->open & ~BIT(3), BIT(6) | BIT(7));
	sent_pages_forget(block, BIT(10) | BIT(4));
	assert_int_equal(block->known, (0x3e & ~BIT(4)) | BIT(11));
	assert_true(page_hash_is_same(sent_pages_hash(block, BIT(11)), hashes[11]));
	assert_true(page_hash_is_same(sent_pages_hash(block, BIT(5)), hashes[5]));
}

/* The last scan visits only what has changed: what is known is there, and what was changed last is looked at. */
static void test_the_last_scan_is_partial(void **state)
{
	CLEANUP(sent_pages_release) struct sent_pages sent = { 0 };
	struct page_hash hashes[64];
	struct page_block *block;

	(void)state;
	memset(hashes, 1, sizeof(hashes));
	scan_pages(&sent, 0, 64, PAGE_WRITTEN);
	block = sent_pages_block(&sent, BASE);
	assert_int_equal(block->open, UINT64_MAX);
	sent_pages_know(block, UINT64_MAX, hashes);
	block->recent = BIT(63);
	sent_pages_begin(&sent);
	sent_pages_note(&sent, AT(5), AT(6), PAGE_WRITTEN);
	/* The kernel's zeros, where something is over there, and where nothing is. */
	sent_pages_note(&sent, AT(8), AT(64 + 8), PAGE_ZERO);
	sent_pages_finish(&sent, true);
	assert_int_equal(block->open, UINT64_MAX & ~(0xff & ~BIT(5)));
	assert_int_equal(sent.count, 1);
}

static void test_blocks_without_pages_go(void **state)
{
	CLEANUP(sent_pages_release) struct sent_pages sent = { 0 };
	struct page_hash hashes[64];

	(void)state;
	memset(hashes, 1, sizeof(hashes));
	sent_pages_begin(&sent);
	for (uint64_t i = 0; i < 1000; i++)
		sent_pages_note(&sent, i * PAGE_BLOCK_SIZE, i * PAGE_BLOCK_SIZE + page_size(),
				PAGE_WRITTEN);
	sent_pages_finish(&sent, false);
	assert_int_equal(sent.count, 1000);
	for (size_t i = 0; i < sent.count; i++)
		sent_pages_know(&sent.blocks[i], 1, hashes);
	/* 400 to 410 stay; 500 has gone here, but not yet over there. */
	sent_pages_begin(&sent);
	sent_pages_note(&sent, 400 * PAGE_BLOCK_SIZE, 411 * PAGE_BLOCK_SIZE, PAGE_SAME);
	sent_pages_finish(&sent, false);
	for (size_t i = 0; i < sent.count; i++)
		if (sent.blocks[i].present == 0 && sent.blocks[i].number != 500)
			sent_pages_forget(&sent.blocks[i], UINT64_MAX);
	sent_pages_shrink(&sent);
	assert_int_equal(sent.count, 12);
	for (uint64_t i = 0; i < 1000; i++) {
		struct page_block *block = sent_pages_block(&sent, i * PAGE_BLOCK_SIZE);

		assert_int_equal(block->number, i);
		assert_int_equal(block->known & 1, (i >= 400 && i <= 410) || i == 500);
	}
	assert_int_equal(sent.count, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_tells_pages_apart),
		cmocka_unit_test(test_mappings_are_found),
		cmocka_unit_test(test_mappings_cover),
		cmocka_unit_test(test_pages_are_remembered),
		cmocka_unit_test(test_the_last_scan_is_partial),
		cmocka_unit_test(test_blocks_without_pages_go),
	};

	return RUN_ALL(tests);
}
