// SPDX-License-Identifier: GPL-2.0-or-later
/* Image stream: what arrives is what was written, while it was written, or it is an error. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "system/image_stream.h"
#include "system/image_writer.h"
#include "temporary.h"

#define PAGE 4096

static struct error err;

/* Bytes that differ from place to place, with a hole of zeros in the middle. */
static void fill(unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = i / PAGE % 3 == 1 ? 0 : (unsigned char)(i * 7 + i / 251);
}

/* All that image_send() says of a directory that is complete. */
static int record(const char *directory)
{
	int output = memfd_create("stream", MFD_CLOEXEC);
	struct image_traffic traffic = { 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	if (image_send(&(struct image_source){ .directory = directory }, ends[0], output, false,
		       &traffic, &err) < 0)
		fail_msg("%s", err.text);
	close(ends[0]);
	assert_int_equal(lseek(output, 0, SEEK_CUR), traffic.sent);
	assert_int_equal(traffic.raw, traffic.sent);
	assert_int_equal(lseek(output, 0, SEEK_SET), 0);
	return output;
}

static int receive(const char *directory, int stream)
{
	return image_receive(&(struct image_target){ .directory = directory }, stream, -1, &err);
}

static void test_images_arrive(void **state)
{
	CLEANUP(memory_release) char *from = make_directory("from");
	CLEANUP(memory_release) char *to = make_directory("to");
	static unsigned char bytes[(size_t)700 * 1000];
	CLEANUP(descriptor_close) int stream = -1;
	CLEANUP(memory_release) char *received = NULL;
	CLEANUP(memory_release) char *empty = NULL;
	CLEANUP(memory_release) char *log = NULL;
	struct stat status;

	(void)state;
	fill(bytes, sizeof(bytes));
	free(put_bytes("from/pages-1.img", bytes, sizeof(bytes)));
	free(put_bytes("from/core-1.img", bytes, 333));
	free(put_bytes("from/tty.img", bytes, 0));
	free(put_bytes("from/dump.log", bytes, 10));
	stream = record(from);
	/* The zeros were left out. */
	assert_int_equal(fstat(stream, &status), 0);
	assert_true(status.st_size < (off_t)sizeof(bytes) * 3 / 4);
	if (receive(to, stream) < 0)
		fail_msg("%s", err.text);
	received = in_temporary("to/pages-1.img");
	assert_file_is(received, bytes, sizeof(bytes));
	memory_release(&received);
	received = in_temporary("to/core-1.img");
	assert_file_is(received, bytes, 333);
	empty = in_temporary("to/tty.img");
	assert_file_is(empty, bytes, 0);
	log = in_temporary("to/dump.log");
	assert_false(file_exists(log));
}

static void test_what_was_sent_is_freed(void **state)
{
	CLEANUP(memory_release) char *from = make_directory("from");
	static unsigned char bytes[64 * PAGE];
	CLEANUP(memory_release) char *pages = NULL;
	CLEANUP(descriptor_close) int stream = -1;
	struct stat status;

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	pages = put_bytes("from/pages-1.img", bytes, sizeof(bytes));
	stream = record(from);
	assert_int_equal(stat(pages, &status), 0);
	assert_int_equal(status.st_size, sizeof(bytes));
	assert_true(status.st_blocks * 512 < (off_t)sizeof(bytes) / 2);
}

/* Every single wrong byte, and every early end, is noticed. */
static void test_damage_is_noticed(void **state)
{
	CLEANUP(memory_release) char *from = make_directory("from");
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(descriptor_close) int stream = -1;
	unsigned char bytes[200];
	struct stat status;

	(void)state;
	fill(bytes, sizeof(bytes));
	free(put_bytes("from/core-1.img", bytes, sizeof(bytes)));
	stream = record(from);
	assert_int_equal(fstat(stream, &status), 0);
	for (off_t at = 0; at < status.st_size; at++) {
		unsigned char byte;

		assert_int_equal(pread(stream, &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(stream, &byte, 1, at), 1);
		lseek(stream, 0, SEEK_SET);
		assert_int_equal(receive(to, stream), -1);
		byte ^= 0x10;
		assert_int_equal(pwrite(stream, &byte, 1, at), 1);
	}
	lseek(stream, 0, SEEK_SET);
	assert_int_equal(receive(to, stream), 0);
	assert_int_equal(ftruncate(stream, status.st_size - 1), 0);
	lseek(stream, 0, SEEK_SET);
	assert_int_equal(receive(to, stream), -1);
}

static void test_names_stay_in_the_directory(void **state)
{
	static const char *const bad[] = { "../x", "/tmp/x", ".x", "a/b", "" };
	CLEANUP(memory_release) char *to = make_directory("to");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CLEANUP(descriptor_close) int stream = memfd_create("stream", MFD_CLOEXEC);
		struct image_frame frame = { IMAGE_FILE, (uint32_t)strlen(bad[i]), 0 };
		unsigned char head[IMAGE_FRAME_SIZE];

		image_frame_pack(&frame, head);
		assert_int_equal(write(stream, head, sizeof(head)), sizeof(head));
		assert_int_equal(write(stream, bad[i], strlen(bad[i])), strlen(bad[i]));
		lseek(stream, 0, SEEK_SET);
		assert_int_equal(receive(to, stream), -1);
		assert_non_null(strstr(err.text, "name"));
	}
}

/* A file is named, left and named again; what it had there becomes zero, and takes no memory. */
static void test_a_file_is_named_again(void **state)
{
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(memory_release) char *one = in_temporary("to/1");
	CLEANUP(memory_release) char *two = in_temporary("to/2");
	CLEANUP(descriptor_close) int stream = memfd_create("stream", MFD_CLOEXEC);
	struct image_writer writer = { .output = stream };
	static unsigned char bytes[16 * PAGE];
	struct stat status;

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	assert_int_equal(image_write(&writer, IMAGE_FILE, 0, "1", 1, &err), 0);
	assert_int_equal(image_write(&writer, IMAGE_DATA, 0, bytes, sizeof(bytes), &err), 0);
	assert_int_equal(image_write(&writer, IMAGE_SIZE, 16 * PAGE, NULL, 0, &err), 0);
	assert_int_equal(image_write(&writer, IMAGE_FILE, 0, "2", 1, &err), 0);
	assert_int_equal(image_write(&writer, IMAGE_DATA, PAGE, bytes, PAGE, &err), 0);
	assert_int_equal(image_write(&writer, IMAGE_FILE, 0, "1", 1, &err), 0);
	assert_int_equal(image_write_range(&writer, IMAGE_ZERO, 2 * PAGE, 13 * PAGE, &err), 0);
	/* Beyond the end there is nothing to be done. */
	assert_int_equal(image_write_range(&writer, IMAGE_ZERO, 1 << 30, PAGE, &err), 0);
	assert_int_equal(image_write_end(&writer, &err), 0);
	assert_int_equal(lseek(stream, 0, SEEK_CUR), writer.traffic.sent);
	lseek(stream, 0, SEEK_SET);
	if (receive(to, stream) < 0)
		fail_msg("%s", err.text);
	memset(bytes + 2 * PAGE, 0, 13 * PAGE);
	assert_file_is(one, bytes, sizeof(bytes));
	assert_int_equal(stat(one, &status), 0);
	assert_true(status.st_blocks * 512 <= 4 * PAGE);
	memset(bytes, 0, PAGE);
	memset(bytes + PAGE, 7, PAGE);
	assert_file_is(two, bytes, 2 * PAGE);
}

static void test_bad_zeros_are_refused(void **state)
{
	static const struct {
		uint64_t at;
		uint64_t length;
		uint32_t size;
	} bad[] = {
		{ 0, 0, 8 },	{ 0, UINT64_MAX, 8 },	 { 0, 1ULL << 63, 8 },
		{ 0, PAGE, 7 }, { 1ULL << 62, PAGE, 8 },
	};
	CLEANUP(memory_release) char *to = make_directory("to");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CLEANUP(descriptor_close) int stream = memfd_create("stream", MFD_CLOEXEC);
		struct image_writer writer = { .output = stream };

		assert_int_equal(image_write(&writer, IMAGE_FILE, 0, "1", 1, &err), 0);
		assert_int_equal(image_write(&writer, IMAGE_ZERO, bad[i].at, &bad[i].length,
					     bad[i].size, &err),
				 0);
		assert_int_equal(image_write_end(&writer, &err), 0);
		lseek(stream, 0, SEEK_SET);
		assert_int_equal(receive(to, stream), -1);
		assert_non_null(strstr(err.text, bad[i].at > 0 ? "frame" : "zeros"));
	}
}

struct ends {
	const char *directory;
	int control;
	int stream;
};

static int send_in_child(void *data)
{
	const struct ends *ends = data;
	struct image_source source = { .directory = ends->directory };
	struct image_traffic traffic;

	return image_send(&source, ends->control, ends->stream, false, &traffic, &err) < 0;
}

static int receive_in_child(void *data)
{
	const struct ends *ends = data;

	return receive(ends->directory, ends->stream) < 0;
}

/* It leaves while it is being written, and what is written late is there too. */
static void test_a_growing_file_is_followed(void **state)
{
	CLEANUP(memory_release) char *from = make_directory("from");
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(memory_release) char *path = in_temporary("from/pages-1.img");
	CLEANUP(memory_release) char *received = in_temporary("to/pages-1.img");
	CLEANUP(process_release) struct process sender = PROCESS_NONE;
	CLEANUP(process_release) struct process receiver = PROCESS_NONE;
	static unsigned char bytes[50 * 5000];
	struct stat status = { 0 };
	int control[2];
	int stream[2];
	int fd;

	(void)state;
	fill(bytes, sizeof(bytes));
	assert_int_equal(pipe2(control, O_CLOEXEC), 0);
	assert_int_equal(pipe2(stream, O_CLOEXEC), 0);
	assert_int_equal(process_fork(&sender, send_in_child,
				      &(struct ends){ from, control[0], stream[1] },
				      (const int[]){ control[0], stream[1] }, 2, &err),
			 0);
	assert_int_equal(process_fork(&receiver, receive_in_child,
				      &(struct ends){ to, -1, stream[0] },
				      (const int[]){ stream[0] }, 1, &err),
			 0);
	close(control[0]);
	close(stream[0]);
	close(stream[1]);
	usleep(100000);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(write(fd, bytes + i * 5000, 5000), 5000);
		usleep(1000);
	}
	/* Before it is told that this was all, it has sent most of it. */
	for (int tries = 0; tries < 500 && status.st_size < (off_t)sizeof(bytes) / 2; tries++) {
		usleep(10000);
		if (stat(received, &status) < 0)
			status.st_size = 0;
	}
	assert_true(status.st_size >= (off_t)sizeof(bytes) / 2);
	close(fd);
	close(control[1]);
	assert_int_equal(process_wait(&sender, 10000, &err), 0);
	assert_int_equal(process_wait(&receiver, 10000, &err), 0);
	assert_file_is(received, bytes, sizeof(bytes));
}

#define STREAM_TEST(function)                                                                      \
	cmocka_unit_test_setup_teardown(function, make_temporary, remove_temporary)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_images_arrive),
		STREAM_TEST(test_what_was_sent_is_freed),
		STREAM_TEST(test_damage_is_noticed),
		STREAM_TEST(test_names_stay_in_the_directory),
		STREAM_TEST(test_a_file_is_named_again),
		STREAM_TEST(test_bad_zeros_are_refused),
		STREAM_TEST(test_a_growing_file_is_followed),
	};

	return RUN_ALL(tests);
}
