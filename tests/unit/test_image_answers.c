// SPDX-License-Identifier: GPL-2.0-or-later
/* What is missing of images, and what is said back to their sender: that it is known, and what of it somebody waits
 * for. */
#include <endian.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "system/image_stream.h"
#include "system/image_writer.h"
#include "temporary.h"

#define PAGE ((uint64_t)4096)

static struct error err;

/* A receiver, and we at the other end. */
static struct process receiver = PROCESS_NONE;
static struct image_writer writer;
static int answers = -1;

struct ends {
	int input;
	int output;
};

static int receive(void *data)
{
	const struct ends *ends = data;
	const struct image_target target = { .directory = temporary };

	return image_receive(&target, ends->input, ends->output, &err) < 0;
}

static int start(void)
{
	struct ends ends;
	int stream[2];
	int back[2];

	if (pipe2(stream, O_CLOEXEC) < 0 || pipe2(back, O_CLOEXEC) < 0)
		return -1;
	ends = (struct ends){ stream[0], back[1] };
	if (process_fork(&receiver, receive, &ends, (const int[]){ stream[0], back[1] }, 2, &err) <
	    0)
		return -1;
	close(stream[0]);
	close(back[1]);
	writer = (struct image_writer){ .output = stream[1] };
	answers = back[0];
	return 0;
}

static void stop(void)
{
	process_release(&receiver);
	descriptor_close(&writer.output);
	descriptor_close(&answers);
}

static int set_up(void **state)
{
	return make_temporary(state) < 0 ? -1 : start();
}

static int tear_down(void **state)
{
	stop();
	return remove_temporary(state);
}

static void say(enum image_frame_kind kind, uint64_t number, const void *bytes, size_t length)
{
	if (image_write(&writer, kind, number, bytes, (uint32_t)length, &err) < 0)
		fail_msg("%s", err.text);
}

static void say_missing(uint64_t at, uint64_t length)
{
	length = htole64(length);
	say(IMAGE_MISSING, at, &length, sizeof(length));
}

static void assert_read(void *bytes, size_t length)
{
	struct pollfd ready = { answers, POLLIN, 0 };

	assert_int_equal(poll(&ready, 1, 10000), 1);
	assert_int_equal(read(answers, bytes, length), length);
}

static void assert_silence(void)
{
	struct pollfd ready = { answers, POLLIN, 0 };

	assert_int_equal(poll(&ready, 1, 100), 0);
}

static void assert_receiver_ends(int status)
{
	assert_int_equal(process_wait(&receiver, 10000, &err), status);
}

static void assert_holds(const char *name, off_t at, unsigned char byte)
{
	CLEANUP(memory_release) char *path = in_temporary(name);
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char bytes[PAGE];

	assert_int_equal(pread(fd, bytes, sizeof(bytes), at), sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], byte);
}

static void test_missing(void **state)
{
	CLEANUP(memory_release) char *wanted_path = in_temporary(IMAGE_WANTED);
	CLEANUP(memory_release) char *list = in_temporary("100.missing");
	CLEANUP(memory_release) char *file = in_temporary("100");
	CLEANUP(descriptor_close) int wanted = -1;
	const uint64_t ranges[] = { PAGE, 2 * PAGE, 1 << 30, PAGE };
	unsigned char old[4 * PAGE];
	struct image_request request = { .process = 100, .address = 2 * PAGE };
	struct image_request passed;
	struct stat status;
	uint64_t number;

	(void)state;
	memset(old, 7, sizeof(old));
	say(IMAGE_FILE, 0, "100", 3);
	say(IMAGE_DATA, 0, old, sizeof(old));
	say_missing(PAGE, 2 * PAGE);
	say_missing(1 << 30, PAGE);
	assert_silence();
	assert_false(file_exists(wanted_path));
	say(IMAGE_READY, 12345, NULL, 0);
	assert_read(&number, sizeof(number));
	assert_int_equal(le64toh(number), 12345);
	assert_file_is(list, ranges, sizeof(ranges));
	/* What was there of it is a hole. */
	assert_int_equal(stat(file, &status), 0);
	assert_true(status.st_blocks * 512 <= (off_t)(2 * PAGE));
	assert_holds("100", PAGE, 0);
	assert_silence();
	wanted = open(wanted_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(write(wanted, &request, sizeof(request)), sizeof(request));
	assert_read(&passed, sizeof(passed));
	assert_int_equal(le32toh(passed.process), 100);
	assert_int_equal(passed.zero, 0);
	assert_true(le64toh(passed.address) == 2 * PAGE);
	memset(old, 9, sizeof(old));
	say(IMAGE_DATA, PAGE, old, 2 * PAGE);
	say(IMAGE_DATA, 1 << 30, old, PAGE);
	assert_int_equal(image_write_end(&writer, &err), 0);
	assert_receiver_ends(0);
	assert_holds("100", 0, 7);
	assert_holds("100", PAGE, 9);
	assert_holds("100", 1 << 30, 9);
}

/* Nobody takes what is wanted: frames come through all the same, and nothing wanted is lost that was taken. */
static void test_many_wanted(void **state)
{
	CLEANUP(memory_release) char *wanted_path = in_temporary(IMAGE_WANTED);
	CLEANUP(descriptor_close) int wanted = -1;
	struct image_request request = { .process = 1 };
	unsigned char bytes[PAGE];
	uint64_t written = 0;
	uint64_t number;
	ssize_t got;

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	say(IMAGE_FILE, 0, "1", 1);
	say(IMAGE_READY, 1, NULL, 0);
	assert_read(&number, sizeof(number));
	wanted = open(wanted_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	/* Until every buffer on the way is full. */
	for (int pauses = 0; pauses < 50;) {
		request.address = written;
		got = write(wanted, &request, sizeof(request));
		if (got == (ssize_t)sizeof(request))
			written++;
		else
			pauses += usleep(1000) == 0;
	}
	for (uint64_t i = 0; i < 1000; i++)
		say(IMAGE_DATA, i * PAGE, bytes, sizeof(bytes));
	for (uint64_t i = 0; i < written; i++) {
		assert_read(&request, sizeof(request));
		assert_true(le64toh(request.address) == i);
	}
	assert_silence();
	assert_int_equal(image_write_end(&writer, &err), 0);
	assert_receiver_ends(0);
	assert_holds("1", 999 * (off_t)PAGE, 1);
}

static void test_missing_of_no_file(void **state)
{
	(void)state;
	say_missing(0, PAGE);
	assert_receiver_ends(1);
}

static void test_bad_lengths(void **state)
{
	uint64_t zero = 0;

	(void)state;
	say(IMAGE_FILE, 0, "1", 1);
	say(IMAGE_MISSING, 0, &zero, sizeof(zero));
	assert_receiver_ends(1);
}

static void test_ready_twice(void **state)
{
	uint64_t number;

	(void)state;
	say(IMAGE_FILE, 0, "1", 1);
	say(IMAGE_READY, 1, NULL, 0);
	assert_read(&number, sizeof(number));
	say(IMAGE_READY, 2, NULL, 0);
	assert_receiver_ends(1);
}

/* How far it is it says as often as it is asked, when all before is done, until it is ready. */
static void test_reached(void **state)
{
	const unsigned char bytes[PAGE] = { 1 };
	CLEANUP(memory_release) char *file = in_temporary("1");
	CLEANUP(memory_release) char *wanted = in_temporary(IMAGE_WANTED);
	uint64_t number;

	(void)state;
	say(IMAGE_REACHED, 5, NULL, 0);
	assert_read(&number, sizeof(number));
	assert_int_equal(le64toh(number), 5);
	for (uint64_t i = 1; i < 100; i++) {
		struct stat status;

		say(IMAGE_FILE, 0, "1", 1);
		say(IMAGE_DATA, i * PAGE, bytes, sizeof(bytes));
		say(IMAGE_REACHED, i, NULL, 0);
		assert_read(&number, sizeof(number));
		assert_int_equal(le64toh(number), i);
		assert_int_equal(stat(file, &status), 0);
		assert_int_equal(status.st_size, (i + 1) * PAGE);
	}
	assert_false(file_exists(wanted));
	say(IMAGE_READY, 7, NULL, 0);
	assert_read(&number, sizeof(number));
	assert_int_equal(le64toh(number), 7);
	say(IMAGE_REACHED, 8, NULL, 0);
	assert_receiver_ends(1);
}

/* Something else has the name. */
static void test_name_taken(void **state)
{
	(void)state;
	say(IMAGE_FILE, 0, IMAGE_WANTED, strlen(IMAGE_WANTED));
	say(IMAGE_READY, 1, NULL, 0);
	assert_receiver_ends(1);
}

/* The connection was lost, and there is another receiver: who wants something goes on as before. */
static void test_another_receiver(void **state)
{
	CLEANUP(memory_release) char *wanted_path = in_temporary(IMAGE_WANTED);
	CLEANUP(descriptor_close) int wanted = -1;
	struct image_request request = { .process = 1, .address = PAGE };
	uint64_t number;

	(void)state;
	say(IMAGE_FILE, 0, "1", 1);
	say_missing(0, 8 * PAGE);
	say(IMAGE_READY, 1, NULL, 0);
	assert_read(&number, sizeof(number));
	wanted = open(wanted_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	descriptor_close(&writer.output);
	assert_receiver_ends(1);
	stop();
	assert_int_equal(start(), 0);
	say(IMAGE_READY, 2, NULL, 0);
	assert_read(&number, sizeof(number));
	assert_int_equal(write(wanted, &request, sizeof(request)), sizeof(request));
	assert_read(&request, sizeof(request));
	assert_true(le64toh(request.address) == PAGE);
	assert_int_equal(image_write_end(&writer, &err), 0);
	assert_receiver_ends(0);
}

static void test_nobody_listens(void **state)
{
	(void)state;
	descriptor_close(&answers);
	say(IMAGE_FILE, 0, "1", 1);
	say(IMAGE_READY, 1, NULL, 0);
	assert_int_not_equal(process_wait(&receiver, 10000, &err), 0);
}

#define ANSWER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ANSWER_TEST(test_missing),
		ANSWER_TEST(test_many_wanted),
		ANSWER_TEST(test_missing_of_no_file),
		ANSWER_TEST(test_bad_lengths),
		ANSWER_TEST(test_ready_twice),
		ANSWER_TEST(test_reached),
		ANSWER_TEST(test_name_taken),
		ANSWER_TEST(test_another_receiver),
		ANSWER_TEST(test_nobody_listens),
	};

	return RUN_ALL(tests);
}
