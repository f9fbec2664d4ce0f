// SPDX-License-Identifier: GPL-2.0-or-later
/* criu's pagemap images: what is in them, written by this test as criu does, and everything that is none. */
#include <unistd.h>

#include "pagemap_write.h"
#include "system/pagemap_image.h"
#include "system/protobuf.h"
#include "temporary.h"

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))
#define LIMIT ((uint64_t)1 << 56)

static struct error err;

static int read_bytes(const void *bytes, size_t length, struct pagemap_image *image)
{
	CLEANUP(memory_release) char *path = put_bytes("pagemap-1.img", bytes, length);

	return pagemap_image_read(path, image, &err);
}

/* Reads what was put together, and forgets it. */
static int read_image(struct text *bytes, struct pagemap_image *image)
{
	int outcome = read_bytes(text_string(bytes), bytes->length, image);

	text_clear(bytes);
	return outcome;
}

static void assert_range(const struct pagemap_range *range, uint64_t start, uint64_t pages,
			 uint32_t flags)
{
	assert_int_equal(range->start, start);
	assert_int_equal(range->pages, pages);
	assert_int_equal(range->flags, flags);
}

static void test_ranges(void **state)
{
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
	CLEANUP(text_release) struct text bytes = { 0 };

	(void)state;
	add_head(&bytes, 77);
	add_entry(&bytes, 0, 1, PAGEMAP_PRESENT);
	add_entry(&bytes, PAGE, 3, PAGEMAP_LAZY);
	add_entry(&bytes, 0x7f0000000000, 1ULL << 33, PAGEMAP_PARENT | PAGEMAP_LAZY);
	add_entry(&bytes, LIMIT - PAGE, 1, PAGEMAP_LAZY | PAGEMAP_PRESENT);
	if (read_image(&bytes, &image) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(image.pages_id, 77);
	assert_int_equal(image.count, 4);
	assert_range(&image.ranges[0], 0, 1, 4);
	assert_range(&image.ranges[1], PAGE, 3, 2);
	assert_range(&image.ranges[2], 0x7f0000000000, 1ULL << 33, 3);
	assert_range(&image.ranges[3], LIMIT - PAGE, 1, 6);
}

static void test_no_ranges(void **state)
{
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
	CLEANUP(text_release) struct text bytes = { 0 };

	(void)state;
	add_head(&bytes, 5);
	assert_int_equal(read_image(&bytes, &image), 0);
	assert_int_equal(image.count, 0);
	assert_int_equal(image.pages_id, 5);
}

/* Without field 5, without flags, or with "in parent" for them. */
static void test_what_older_versions_wrote(void **state)
{
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
	CLEANUP(text_release) struct text message = { 0 };
	CLEANUP(text_release) struct text bytes = { 0 };

	(void)state;
	add_head(&bytes, 1);
	protobuf_add_number(&message, 1, PAGE);
	protobuf_add_number(&message, 2, 2);
	add_record(&bytes, &message);
	protobuf_add_number(&message, 1, 3 * PAGE);
	protobuf_add_number(&message, 2, 1);
	protobuf_add_number(&message, 3, 1);
	add_record(&bytes, &message);
	assert_int_equal(read_image(&bytes, &image), 0);
	assert_int_equal(image.count, 2);
	assert_range(&image.ranges[0], PAGE, 2, PAGEMAP_PRESENT);
	assert_range(&image.ranges[1], 3 * PAGE, 1, PAGEMAP_PARENT);
}

/* Fields that we do not know, of every encoding, are nobody's business. */
static void test_unknown_fields(void **state)
{
	static const char unknown[] = "\x79"
				      "12345678"
				      "\x7d"
				      "1234"
				      "\x7a\x03"
				      "abc"
				      "\xf8\x01\x05";
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
	CLEANUP(text_release) struct text message = { 0 };
	CLEANUP(text_release) struct text bytes = { 0 };

	(void)state;
	add_head(&bytes, 1);
	text_append(&message, unknown, sizeof(unknown) - 1);
	protobuf_add_number(&message, 5, 9);
	protobuf_add_number(&message, 1, PAGE);
	text_append(&message, unknown, sizeof(unknown) - 1);
	protobuf_add_number(&message, 4, PAGEMAP_LAZY);
	add_record(&bytes, &message);
	if (read_image(&bytes, &image) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(image.count, 1);
	assert_range(&image.ranges[0], PAGE, 9, PAGEMAP_LAZY);
}

static void test_unsound_ranges(void **state)
{
	static const struct {
		uint64_t start[2]; /* in pages */
		uint64_t pages[2];
		uint32_t flags;
	} cases[] = {
		{ { 5, 4 }, { 1, 1 }, 2 },	     /* not sorted */
		{ { 5, 5 }, { 1, 1 }, 2 },	     /* the same twice */
		{ { 5, 6 }, { 2, 1 }, 2 },	     /* overlapping */
		{ { 5, 7 }, { 2, 0 }, 2 },	     /* nothing */
		{ { 5, 1ULL << 44 }, { 1, 1 }, 2 },  /* 2^56, at 4 KiB a page */
		{ { 5, 6 }, { 1, UINT64_MAX }, 2 },  /* too long */
		{ { 5, 6 }, { 1, LIMIT >> 12 }, 2 }, /* a bit too long (at 4 KiB) */
		{ { 5, 6 }, { 1, 1 }, 8 },	     /* not known */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(text_release) struct text bytes = { 0 };
		struct pagemap_image image;

		add_head(&bytes, 1);
		for (size_t k = 0; k < 2; k++)
			add_entry(&bytes, cases[i].start[k] * PAGE, cases[i].pages[k],
				  cases[i].flags);
		if (read_image(&bytes, &image) == 0)
			fail_msg("case %zu was accepted", i);
		assert_non_null(strstr(err.text, "pagemap-1.img"));
		assert_null(image.ranges);
	}
}

static void test_an_address_within_a_page(void **state)
{
	CLEANUP(text_release) struct text bytes = { 0 };
	struct pagemap_image image;

	(void)state;
	add_head(&bytes, 1);
	add_entry(&bytes, PAGE + 8, 1, PAGEMAP_LAZY);
	assert_int_equal(read_image(&bytes, &image), -1);
	add_head(&bytes, 1);
	add_entry(&bytes, LIMIT, 1, PAGEMAP_LAZY);
	assert_int_equal(read_image(&bytes, &image), -1);
	add_head(&bytes, 1);
	add_entry(&bytes, LIMIT - PAGE, 2, PAGEMAP_LAZY);
	assert_int_equal(read_image(&bytes, &image), -1);
}

static void fill(struct text *bytes)
{
	add_head(bytes, 300);
	add_entry(bytes, 0x400000, 200, PAGEMAP_LAZY);
	add_entry(bytes, 0x7ffc00000000, 33, PAGEMAP_PRESENT);
}

/* Cut anywhere but between records it is an error, and no byte behind the cut is read. */
static void test_truncated(void **state)
{
	CLEANUP(text_release) struct text bytes = { 0 };
	size_t head;
	size_t first;

	(void)state;
	add_head(&bytes, 300);
	head = bytes.length;
	add_entry(&bytes, 0x400000, 200, PAGEMAP_LAZY);
	first = bytes.length;
	text_clear(&bytes);
	fill(&bytes);
	for (size_t length = 0; length <= bytes.length; length++) {
		CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
		bool whole = length == head || length == first || length == bytes.length;

		assert_int_equal(read_bytes(bytes.bytes, length, &image), whole ? 0 : -1);
		assert_int_equal(image.count, length == bytes.length ? 2 : length == first);
	}
}

/* Every byte in turn is wrong in many ways: what is accepted keeps the promises. */
static void test_hostile(void **state)
{
	static const unsigned char changes[] = { 1,    2,    4,	   8,	 0x10, 0x20,
						 0x40, 0x80, 0xff, 0x7f, 0x0c, 0x1f };
	CLEANUP(text_release) struct text bytes = { 0 };

	(void)state;
	fill(&bytes);
	for (size_t at = 0; at < bytes.length; at++) {
		char saved = bytes.bytes[at];

		for (size_t change = 0; change < COUNT_OF(changes); change++) {
			CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
			uint64_t floor = 0;

			bytes.bytes[at] = (char)((unsigned char)saved ^ changes[change]);
			read_bytes(bytes.bytes, bytes.length, &image);
			for (size_t i = 0; i < image.count; i++) {
				assert_int_equal(image.ranges[i].start % PAGE, 0);
				assert_true(image.ranges[i].start >= floor);
				assert_true(image.ranges[i].pages > 0);
				floor = image.ranges[i].start + image.ranges[i].pages * PAGE;
				assert_true(floor > image.ranges[i].start && floor <= LIMIT);
			}
		}
		bytes.bytes[at] = saved;
	}
}

static void test_missing(void **state)
{
	CLEANUP(memory_release) char *path = in_temporary("pagemap-9.img");
	struct pagemap_image image;

	(void)state;
	assert_int_equal(pagemap_image_read(path, &image, &err), -1);
	assert_non_null(strstr(err.text, path));
}

static void test_numbers_of_protobuf(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		int outcome;
		uint64_t value;
	} cases[] = {
		{ "\x08\x00", 2, 1, 0 },
		{ "\x08\x7f", 2, 1, 127 },
		{ "\x08\x80\x01", 3, 1, 128 },
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, 1, UINT64_MAX },
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, -1, 0 },
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 12, -1, 0 },
		{ "\x08", 1, -1, 0 },
		{ "\x08\x80", 2, -1, 0 },
		{ "\x09\x01\x02\x03\x04\x05\x06\x07\x08", 9, 1, 0x0807060504030201 },
		{ "\x09\x01\x02\x03\x04\x05\x06\x07", 8, -1, 0 },
		{ "\x0d\x01\x02\x03\x04", 5, 1, 0x04030201 },
		{ "\x0d\x01\x02\x03", 4, -1, 0 },
		{ "\x0a\x02\x01\x02", 4, 1, 2 },
		{ "\x0a\x03\x01\x02", 4, -1, 0 },
		{ "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, -1, 0 },
		{ "\x0b\x00", 2, -1, 0 },
		{ "", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct protobuf message = { .at = (const unsigned char *)cases[i].bytes,
					    .left = cases[i].length };
		struct protobuf_field field;

		assert_int_equal(protobuf_next(&message, &field), cases[i].outcome);
		if (cases[i].outcome != 1)
			continue;
		assert_int_equal(field.number, 1);
		assert_true(field.value == cases[i].value);
		assert_int_equal(message.left, 0);
		assert_int_equal(protobuf_next(&message, &field), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_ranges),
		FILE_TEST(test_no_ranges),
		FILE_TEST(test_what_older_versions_wrote),
		FILE_TEST(test_unknown_fields),
		FILE_TEST(test_unsound_ranges),
		FILE_TEST(test_an_address_within_a_page),
		FILE_TEST(test_truncated),
		FILE_TEST(test_hostile),
		FILE_TEST(test_missing),
		cmocka_unit_test(test_numbers_of_protobuf),
	};

	return RUN_ALL(tests);
}
