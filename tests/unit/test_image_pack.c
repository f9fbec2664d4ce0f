// SPDX-License-Identifier: GPL-2.0-or-later
/* Packed data of an image stream: it comes back as it was, through a stream too; whatever is wrong with it is an error. */
#include <endian.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

#include "base/process.h"
#include "system/image_pack.h"
#include "system/image_stream.h"
#include "system/image_writer.h"
#include "temporary.h"

#define PAGE 4096
#define HEAD 4

static struct error err;
static unsigned char raw[IMAGE_DATA_MAX];
static unsigned char packed[2 * IMAGE_DATA_MAX];

/* What does not repeat; `half`: half of it zero. */
static void fill(unsigned char *bytes, size_t length, bool half)
{
	uint64_t word = 88172645463325252ULL;

	for (size_t i = 0; i < length; i++) {
		word ^= word << 13;
		word ^= word >> 7;
		word ^= word << 17;
		bytes[i] = half && i / 512 % 2 == 1 ? 0 : (unsigned char)word;
	}
}

/* raw, packed; returns how long that is. */
static size_t pack(size_t length)
{
	struct image_packer *packer = image_packer_new(&err);
	const unsigned char *bytes;
	size_t size = image_pack(packer, raw, length, &bytes);

	if (size > 0)
		memcpy(packed, bytes, size);
	image_packer_free(&packer);
	return size;
}

static int unpack(const unsigned char *from, size_t size, size_t length)
{
	struct image_unpacker *unpacker = image_unpacker_new(&err);
	/* Of this very size, so that a sanitizer sees who reads behind it. */
	unsigned char *exact = memory_allocate(size > 0 ? size : 1, 1);
	const unsigned char *bytes = NULL;
	size_t got = 0;
	int outcome;

	memcpy(exact, from, size);
	outcome = image_unpack(unpacker, exact, size, &bytes, &got, &err);
	if (outcome == 0) {
		assert_int_equal(got, length);
		assert_memory_equal(bytes, raw, length);
	}
	image_unpacker_free(&unpacker);
	free(exact);
	return outcome;
}

static void test_it_comes_back(void **state)
{
	static const size_t lengths[] = { 800, 1024, PAGE, 5 * PAGE + 17, IMAGE_DATA_MAX };

	(void)state;
	fill(raw, sizeof(raw), true);
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		size_t size = pack(lengths[i]);

		assert_in_range(size, 1, lengths[i] - 1);
		if (lengths[i] >= PAGE)
			assert_in_range(size, 1, lengths[i] * 2 / 3);
		assert_int_equal(unpack(packed, size, lengths[i]), 0);
	}
}

static void test_what_does_not_become_smaller(void **state)
{
	(void)state;
	fill(raw, sizeof(raw), false);
	assert_int_equal(pack(IMAGE_DATA_MAX), 0);
	assert_int_equal(pack(PAGE), 0);
	for (size_t length = 0; length < 16; length++)
		assert_int_equal(pack(length), 0);
}

/* A frame of zstd made otherwise, behind a length. */
static size_t put_frame(uint32_t length, int window, bool knows_size, size_t from)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	uint32_t head = htole32(length);
	size_t size;

	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, knows_size);
	if (window > 0)
		ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window);
	memcpy(packed, &head, HEAD);
	size = ZSTD_compress2(context, packed + HEAD, sizeof(packed) - HEAD, raw, from);
	assert_false(ZSTD_isError(size));
	ZSTD_freeCCtx(context);
	return HEAD + size;
}

static void test_wrong_lengths(void **state)
{
	size_t size;

	(void)state;
	fill(raw, sizeof(raw), true);
	assert_int_equal(unpack(packed, put_frame(PAGE, 0, true, PAGE), PAGE), 0);
	assert_int_equal(unpack(packed, put_frame(PAGE - 1, 0, true, PAGE), 0), -1);
	assert_int_equal(unpack(packed, put_frame(PAGE + 1, 0, true, PAGE), 0), -1);
	assert_int_equal(unpack(packed, put_frame(0, 0, true, PAGE), 0), -1);
	assert_int_equal(unpack(packed, put_frame(UINT32_MAX, 0, true, PAGE), 0), -1);
	assert_int_equal(unpack(packed, put_frame(IMAGE_DATA_MAX + 1, 0, true, PAGE), 0), -1);
	/* One that does not say how much it is. */
	assert_int_equal(unpack(packed, put_frame(PAGE, 0, false, PAGE), 0), -1);
	/* Nothing. */
	assert_int_equal(unpack(packed, put_frame(0, 0, true, 0), 0), -1);
	size = put_frame(PAGE, 0, true, PAGE);
	for (size_t less = 0; less < size; less++)
		assert_int_equal(unpack(packed, less, 0), -1);
}

/* Something behind the frame, or before it. */
static void test_more_than_a_frame(void **state)
{
	static const unsigned char skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4 };
	size_t size;

	(void)state;
	fill(raw, sizeof(raw), true);
	size = put_frame(PAGE, 0, true, PAGE);
	packed[size] = 0;
	assert_int_equal(unpack(packed, size + 1, 0), -1);
	memcpy(packed + size, skippable, sizeof(skippable));
	assert_int_equal(unpack(packed, size + sizeof(skippable), 0), -1);
	memcpy(packed + size, packed + HEAD, size - HEAD);
	assert_int_equal(unpack(packed, 2 * size - HEAD, 0), -1);
	memmove(packed + HEAD + sizeof(skippable), packed + HEAD, size - HEAD);
	memcpy(packed + HEAD, skippable, sizeof(skippable));
	assert_int_equal(unpack(packed, size + sizeof(skippable), 0), -1);
}

/* 64 MiB of zeros are a few KiB. They stay so, whatever length they come with. */
static void test_a_bomb(void **state)
{
	const size_t huge = (size_t)64 << 20;
	char *zeros = memory_allocate(huge, 1);
	uint32_t lengths[] = { PAGE, IMAGE_DATA_MAX, (uint32_t)huge };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		uint32_t head = htole32(lengths[i]);
		size_t size = ZSTD_compress(packed + HEAD, sizeof(packed) - HEAD, zeros, huge, 1);

		assert_in_range(size, 1, 16 << 10);
		memcpy(packed, &head, HEAD);
		assert_int_equal(unpack(packed, HEAD + size, 0), -1);
		/* And one that lies about its size, where the format has it: 4 bytes. */
		packed[HEAD + 4] = (unsigned char)(packed[HEAD + 4] & 0x3f) | 0x80;
		memcpy(packed + HEAD + 6, &head, HEAD);
		assert_int_equal(unpack(packed, HEAD + size, 0), -1);
	}
	free(zeros);
}

/* What is damaged is an error or, where zstd cannot know, other bytes: but as many. The stream's checksum is for that. */
static void test_damage_stays_in_its_bounds(void **state)
{
	struct image_unpacker *unpacker = image_unpacker_new(&err);
	size_t refused = 0;
	size_t size;

	(void)state;
	fill(raw, sizeof(raw), true);
	size = pack(8 * PAGE);
	for (size_t at = 0; at < size; at++)
		for (int bit = 0; bit < 8; bit++) {
			const unsigned char *bytes;
			size_t length;

			packed[at] ^= (unsigned char)(1 << bit);
			if (image_unpack(unpacker, packed, size, &bytes, &length, &err) < 0)
				refused++;
			else
				assert_int_equal(length, 8 * PAGE);
			packed[at] ^= (unsigned char)(1 << bit);
		}
	assert_true(refused > 100);
	/* It is none the worse for it. */
	assert_int_equal(unpack(packed, size, 8 * PAGE), 0);
	image_unpacker_free(&unpacker);
}

/* A stream of one file of these bytes, written where a limit makes it worthwhile. */
static int write_stream(const unsigned char *bytes, size_t length, struct image_writer *writer)
{
	writer->output = memfd_create("stream", MFD_CLOEXEC);
	writer->choice = (struct pack_choice){ .allowed = true, .limit = 1 };
	assert_int_equal(image_write(writer, IMAGE_FILE, 0, "1", 1, &err), 0);
	for (size_t at = 0; at < length; at += 64 * PAGE)
		assert_int_equal(image_write(writer, IMAGE_DATA, at, bytes + at, 64 * PAGE, &err),
				 0);
	assert_int_equal(image_write(writer, IMAGE_SIZE, length, NULL, 0, &err), 0);
	assert_int_equal(image_write_end(writer, &err), 0);
	assert_int_equal(lseek(writer->output, 0, SEEK_CUR), writer->traffic.sent);
	lseek(writer->output, 0, SEEK_SET);
	image_writer_release(writer);
	return writer->output;
}

static void test_a_stream_arrives(void **state)
{
	static unsigned char bytes[1024 * PAGE];
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(memory_release) char *file = in_temporary("to/1");
	struct image_writer writer = { 0 };
	int stream;

	(void)state;
	fill(bytes, sizeof(bytes) / 2, true);
	fill(bytes + sizeof(bytes) / 2, sizeof(bytes) / 2, false);
	stream = write_stream(bytes, sizeof(bytes), &writer);
	/* The first half became half as long, the second stayed. */
	assert_in_range(writer.traffic.sent, sizeof(bytes) * 70 / 100, sizeof(bytes) * 80 / 100);
	assert_in_range(writer.traffic.raw, sizeof(bytes), sizeof(bytes) + 1000);
	if (image_receive(&(struct image_target){ .directory = to }, stream, -1, &err) < 0)
		fail_msg("%s", err.text);
	assert_file_is(file, bytes, sizeof(bytes));
	close(stream);
}

static void test_a_damaged_stream_is_refused(void **state)
{
	static unsigned char bytes[64 * PAGE];
	CLEANUP(memory_release) char *to = make_directory("to");
	struct image_writer writer = { 0 };
	unsigned char byte;
	int stream;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	stream = write_stream(bytes, sizeof(bytes), &writer);
	assert_in_range(writer.traffic.sent, 1, PAGE);
	for (off_t at = 0; at < writer.traffic.sent; at++) {
		assert_int_equal(pread(stream, &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(stream, &byte, 1, at), 1);
		lseek(stream, 0, SEEK_SET);
		assert_int_equal(
			image_receive(&(struct image_target){ .directory = to }, stream, -1, &err),
			-1);
		byte ^= 0x10;
		assert_int_equal(pwrite(stream, &byte, 1, at), 1);
	}
	lseek(stream, 0, SEEK_SET);
	assert_int_equal(image_receive(&(struct image_target){ .directory = to }, stream, -1, &err),
			 0);
	close(stream);
}

static int write_much(void *data)
{
	struct image_writer writer = { .output = *(int *)data, .choice = { .allowed = true } };
	static unsigned char bytes[64 * PAGE];

	fill(bytes, sizeof(bytes), true);
	if (image_write(&writer, IMAGE_FILE, 0, "1", 1, &err) < 0)
		return 1;
	for (uint64_t at = 0; at < (uint64_t)32 << 20; at += sizeof(bytes))
		if (image_write(&writer, IMAGE_DATA, at, bytes, sizeof(bytes), &err) < 0)
			return 1;
	return writer.traffic.sent < (int64_t)24 << 20 ? 0 : 2;
}

/* Nothing but how long writing to a socket takes tells the writer that its reader is slow: 20 MB/s. */
static void test_a_slow_reader_is_noticed(void **state)
{
	CLEANUP(process_release) struct process writer = PROCESS_NONE;
	CLEANUP(descriptor_close) int ours = -1;
	CLEANUP(descriptor_close) int theirs = -1;

	(void)state;
	assert_int_equal(process_stream(&ours, &theirs, &err), 0);
	assert_int_equal(process_fork(&writer, write_much, &theirs, &theirs, 1, &err), 0);
	descriptor_close(&theirs);
	while (read(ours, packed, 40000) > 0)
		usleep(2000);
	assert_int_equal(process_wait(&writer, 60000, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_comes_back),
		cmocka_unit_test(test_what_does_not_become_smaller),
		cmocka_unit_test(test_wrong_lengths),
		cmocka_unit_test(test_more_than_a_frame),
		cmocka_unit_test(test_a_bomb),
		cmocka_unit_test(test_damage_stays_in_its_bounds),
		FILE_TEST(test_a_stream_arrives),
		FILE_TEST(test_a_damaged_stream_is_refused),
		cmocka_unit_test(test_a_slow_reader_is_noticed),
	};

	return RUN_ALL(tests);
}
