// SPDX-License-Identifier: GPL-2.0-or-later
/* Images of which the destination has some pages already: they arrive whole, and what a stream says of a store is not
 * believed. */
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/image_stream.h"
#include "system/image_writer.h"
#include "system/page_scan.h"
#include "system/sent_pages.h"
#include "temporary.h"

#define PAGES 200
#define PAGE 4096

static struct error err;

static int receive(const char *directory, const char *store, int stream)
{
	lseek(stream, 0, SEEK_SET);
	return image_receive(&(struct image_target){ directory, store }, stream, -1, &err);
}

/* A page that has this number all over. */
static void fill_page(unsigned char *page, uint32_t number)
{
	for (size_t i = 0; i < PAGE; i += sizeof(number))
		memcpy(page + i, &number, sizeof(number));
}

/* What image_send() says of a directory. */
static int record(const char *directory, struct content_index *index, int64_t *sent)
{
	struct image_source source = { directory, index };
	int output = memfd_create("stream", MFD_CLOEXEC);
	struct image_traffic traffic;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	if (image_send(&source, ends[0], output, false, &traffic, &err) < 0)
		fail_msg("%s", err.text);
	*sent = traffic.sent;
	close(ends[0]);
	return output;
}

/* The store has these pages as an object, in this order. */
static char *make_store(struct content_index *index, uint32_t object, const uint32_t *numbers,
			size_t count)
{
	unsigned char *bytes = memory_allocate(count, PAGE);
	char name[CONTENT_NAME_SIZE];
	char path[CONTENT_NAME_SIZE + 6];
	uint32_t block = CONTENT_NONE;
	char *made;

	for (size_t i = 0; i < count; i++) {
		fill_page(bytes + i * PAGE, numbers[i]);
		if (i % index->pages == 0)
			block = content_index_take(index, object, (uint32_t)(i / index->pages));
		if (numbers[i] != 0)
			content_index_hashes(index, block)[i % index->pages] =
				page_hash(&index->key, bytes + i * PAGE);
	}
	content_name(object, name);
	snprintf(path, sizeof(path), "store/%s", name);
	made = put_bytes(path, bytes, count * PAGE);
	free(bytes);
	return made;
}

/* An image with pages of two objects, in another order, twice, changed, zero; and a rest that is no page. */
static void test_known_pages_are_not_sent(void **state)
{
	CLEANUP(memory_release) char *from = make_directory("from");
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(memory_release) char *store = make_directory("store");
	CLEANUP(memory_release) char *received = in_temporary("to/pages-1.img");
	CLEANUP(memory_release) char *one = NULL;
	CLEANUP(memory_release) char *two = NULL;
	CLEANUP(content_index_release) struct content_index index = { 0 };
	static unsigned char image[(PAGES + 2) * PAGE + 100];
	uint32_t first[PAGES];
	uint32_t second[3] = { 1000, 1001, 1002 };
	CLEANUP(descriptor_close) int stream = -1;
	struct stat status;
	int64_t sent;

	(void)state;
	if (page_size() != PAGE)
		skip();
	assert_int_equal(content_index_make(&index, &err), 0);
	for (uint32_t i = 0; i < PAGES; i++)
		first[i] = 1 + i;
	one = make_store(&index, 1, first, PAGES);
	two = make_store(&index, 2, second, COUNT_OF(second));
	content_index_build(&index);
	for (uint32_t i = 0; i < PAGES; i++)
		fill_page(image + (size_t)i * PAGE, first[i]);
	fill_page(image + 10 * PAGE, 1001);
	fill_page(image + 11 * PAGE, 1000);
	fill_page(image + 12 * PAGE, 5);    /* a second time */
	fill_page(image + 13 * PAGE, 7777); /* nobody has it */
	fill_page(image + 14 * PAGE, 0);
	image[20 * PAGE + 77]++; /* one byte */
	fill_page(image + (size_t)PAGES * PAGE, 14);
	fill_page(image + (size_t)(PAGES + 1) * PAGE, 15);
	memset(image + sizeof(image) - 100, 3, 100);
	free(put_bytes("from/pages-1.img", image, sizeof(image)));
	stream = record(from, &index, &sent);
	/* Three pages and the rest, and some frames that say where the others are. */
	assert_in_range(sent, 3 * PAGE, 4 * PAGE);
	if (receive(to, store, stream) < 0)
		fail_msg("%s", err.text);
	assert_file_is(received, image, sizeof(image));
	/* Nothing is there twice. */
	assert_int_equal(stat(one, &status), 0);
	assert_in_range(status.st_blocks * 512, 1, 6 * PAGE);
	assert_int_equal(status.st_size, PAGES * PAGE);
}

/* No stream that is not from this program, or whose other stream was not confirmed. */
static void assert_refused(const char *what, uint64_t from, uint64_t length, const char *name,
			   size_t name_length, size_t frame, bool store)
{
	CLEANUP(memory_release) char *to = in_temporary("to");
	CLEANUP(memory_release) char *directory = in_temporary("store");
	CLEANUP(descriptor_close) int stream = memfd_create("stream", MFD_CLOEXEC);
	struct image_writer writer = { .output = stream };
	uint64_t range[2] = { htole64(from), htole64(length) };
	unsigned char bytes[sizeof(range) + 300];

	memcpy(bytes, range, sizeof(range));
	memcpy(bytes + sizeof(range), name, name_length);
	assert_int_equal(image_write(&writer, IMAGE_FILE, 0, "pages-1.img", 11, &err), 0);
	assert_int_equal(image_write(&writer, IMAGE_SAME, 0, bytes, frame, &err), 0);
	assert_int_equal(image_write_end(&writer, &err), 0);
	err.text[0] = '\0';
	if (receive(to, store ? directory : NULL, stream) == 0 || strstr(err.text, what) == NULL)
		fail_msg("'%s' of %zu bytes, %llu at %llu: '%s', not '%s'", name, frame,
			 (unsigned long long)length, (unsigned long long)from, err.text, what);
}

static void refused_name(const char *what, const char *name)
{
	assert_refused(what, 0, PAGE, name, strlen(name), 16 + strlen(name), true);
}

static void test_what_is_no_file_of_the_store_is_refused(void **state)
{
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(memory_release) char *store = make_directory("store");
	CLEANUP(memory_release) char *outside = NULL;
	CLEANUP(memory_release) char *link = in_temporary("store/link");
	CLEANUP(memory_release) char *directory = in_temporary("store/directory");
	CLEANUP(memory_release) char *fifo = in_temporary("store/wanted");
	static unsigned char page[PAGE];
	char longest[300];

	(void)state;
	memset(page, 1, sizeof(page));
	outside = put_bytes("outside", page, sizeof(page));
	free(put_bytes("store/x", page, sizeof(page)));
	assert_int_equal(symlink(outside, link), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	refused_name("name", "../outside");
	refused_name("name", outside);
	refused_name("name", "");
	refused_name("name", ".");
	refused_name("name", "..");
	refused_name("name", ".x");
	refused_name("name", "directory/x");
	refused_name("name", longest);
	assert_refused("name", 0, PAGE, "x\0y", 3, 19, true);
	refused_name("cannot open", "y");
	refused_name("cannot open", "link");
	refused_name("cannot open", "directory");
	refused_name("no file", "wanted");
	/* What was refused has not been touched; and without any of that it is taken. */
	assert_file_is(outside, page, sizeof(page));
}

static void test_what_is_not_there_is_refused(void **state)
{
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(memory_release) char *store = make_directory("store");
	CLEANUP(memory_release) char *file = NULL;
	static unsigned char bytes[3 * PAGE];

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	file = put_bytes("store/x", bytes, sizeof(bytes));
	assert_refused("ends at 12288", 0, 3 * PAGE + 1, "x", 1, 17, true);
	assert_refused("ends at", 3 * PAGE, PAGE, "x", 1, 17, true);
	assert_refused("ends at", (uint64_t)1 << 50, PAGE, "x", 1, 17, true);
	assert_refused("0 bytes", 0, 0, "x", 1, 17, true);
	assert_refused("262145 bytes", 0, IMAGE_DATA_MAX + 1, "x", 1, 17, true);
	assert_refused("bytes", 0, UINT64_MAX, "x", 1, 17, true);
	assert_refused("bytes", UINT64_MAX, PAGE, "x", 1, 17, true);
	assert_refused("bytes", ((uint64_t)1 << 50) + 1, PAGE, "x", 1, 17, true);
	assert_refused("what is the same", 0, PAGE, "", 0, 15, true);
	assert_refused("what is the same", 0, PAGE, "", 0, 0, true);
	assert_refused("there is none", 0, PAGE, "x", 1, 17, false);
	assert_file_is(file, bytes, sizeof(bytes));
}

/* A page of the image, as much of it as is said, and only there. */
static void test_a_part_is_moved(void **state)
{
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(memory_release) char *store = make_directory("store");
	CLEANUP(memory_release) char *received = in_temporary("to/pages-1.img");
	CLEANUP(memory_release) char *file = NULL;
	CLEANUP(descriptor_close) int stream = memfd_create("stream", MFD_CLOEXEC);
	struct image_writer writer = { .output = stream };
	uint64_t range[2] = { htole64(PAGE), htole64(2 * PAGE) };
	unsigned char frame[sizeof(range) + 1];
	static unsigned char bytes[4 * PAGE];
	static unsigned char expected[4 * PAGE];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		memset(bytes + i * PAGE, (int)i + 1, PAGE);
	file = put_bytes("store/x", bytes, sizeof(bytes));
	memcpy(frame, range, sizeof(range));
	frame[sizeof(range)] = 'x';
	assert_int_equal(image_write(&writer, IMAGE_FILE, 0, "pages-1.img", 11, &err), 0);
	assert_int_equal(image_write(&writer, IMAGE_SAME, PAGE, frame, sizeof(frame), &err), 0);
	assert_int_equal(image_write(&writer, IMAGE_SIZE, 4 * PAGE, NULL, 0, &err), 0);
	assert_int_equal(image_write_end(&writer, &err), 0);
	if (receive(to, store, stream) < 0)
		fail_msg("%s", err.text);
	memcpy(expected + PAGE, bytes + PAGE, 2 * PAGE);
	assert_file_is(received, expected, sizeof(expected));
	memset(bytes + PAGE, 0, 2 * PAGE);
	assert_file_is(file, bytes, sizeof(bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_known_pages_are_not_sent),
		FILE_TEST(test_what_is_no_file_of_the_store_is_refused),
		FILE_TEST(test_what_is_not_there_is_refused),
		FILE_TEST(test_a_part_is_moved),
	};

	return RUN_ALL(tests);
}
