// SPDX-License-Identifier: GPL-2.0-or-later
/* What criu says on its socket: cut anywhere, wrong, by somebody else, and left unread. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "criu_words.h"
#include "process_unit.h"
#include "temporary.h"

static struct error err;
static struct lazy_socket lazy;
static bool finished;

static int begin(void)
{
	int listener = lazy_socket_listen(temporary, &err);
	int fd;

	if (listener < 0)
		fail_msg("%s", err.text);
	finished = false;
	lazy_socket_init(&lazy, listener, &finished);
	fd = connect_to(temporary);
	assert_true(fd >= 0);
	return fd;
}

static void end(int fd)
{
	close(fd);
	lazy_socket_release(&lazy);
}

static int next(pid_t *pid, int *fd)
{
	return lazy_socket_next(&lazy, pid, fd, &err);
}

static bool is_same(int one, int other)
{
	struct stat first;
	struct stat second;

	return fstat(one, &first) == 0 && fstat(other, &second) == 0 &&
	       first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

static void test_a_restore(void **state)
{
	CLEANUP(descriptor_close) int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	CLEANUP(descriptor_close) int taken = -1;
	const int32_t number = FINISHED;
	pid_t pid = 0;
	int fd = begin();

	(void)state;
	assert_int_equal(next(&pid, &taken), LAZY_NOTHING);
	say_number(fd, 17);
	assert_int_equal(next(&pid, &taken), LAZY_NOTHING);
	say_descriptors(fd, file, 1);
	/* One that has ended has no memory. */
	say_number(fd, -18);
	say_number(fd, 19);
	assert_int_equal(next(&pid, &taken), LAZY_MEMORY);
	assert_int_equal(pid, 17);
	assert_true(is_same(taken, file));
	assert_int_equal(fcntl(taken, F_GETFD), FD_CLOEXEC);
	assert_int_equal(next(&pid, &taken), LAZY_NOTHING);
	say_descriptors(fd, file, 1);
	descriptor_close(&taken);
	assert_int_equal(next(&pid, &taken), LAZY_MEMORY);
	assert_int_equal(pid, 19);
	/* Byte by byte: it is finished with the last one. */
	for (size_t i = 0; i < sizeof(number); i++) {
		assert_false(finished);
		assert_int_equal(send(fd, (const char *)&number + i, 1, 0), 1);
		assert_int_equal(next(&pid, &taken),
				 i + 1 < sizeof(number) ? LAZY_NOTHING : LAZY_FINISHED);
	}
	assert_true(finished);
	assert_int_equal(next(&pid, &taken), LAZY_NOTHING);
	close(fd);
	assert_int_equal(next(&pid, &taken), LAZY_LEFT);
	assert_int_equal(lazy_socket_descriptor(&lazy), -1);
	end(-1);
}

static void test_wrong_words(void **state)
{
	CLEANUP(descriptor_close) int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	int before = open_descriptors();

	(void)state;
	for (size_t count = 0; count <= 8; count++) {
		pid_t pid = 0;
		int taken = -1;
		int fd = begin();

		if (count == 1)
			say_number(fd, 0);
		else
			say_number(fd, 20);
		if (count != 1)
			say_descriptors(fd, file, count);
		assert_int_equal(next(&pid, &taken), -1);
		assert_int_equal(taken, -1);
		end(fd);
	}
	assert_int_equal(open_descriptors(), before);
}

/* Only root's is criu; and only one. */
static void test_others(void **state)
{
	int listener = lazy_socket_listen(temporary, &err);
	CLEANUP(memory_release) char *path = memory_format("%s/%s", temporary, LAZY_SOCKET_NAME);
	pid_t pid = 0;
	int status;
	int fd = -1;
	pid_t other;

	(void)state;
	finished = false;
	lazy_socket_init(&lazy, listener, &finished);
	assert_int_equal(chmod(temporary, 0755), 0);
	assert_int_equal(chmod(path, 0777), 0);
	other = fork();
	if (other == 0) {
		const int32_t number = FINISHED;

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		fd = connect_to(temporary);
		_exit(fd < 0 || send(fd, &number, sizeof(number), MSG_NOSIGNAL) < 0);
	}
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(status, 0);
	assert_int_equal(next(&pid, &fd), LAZY_NOTHING);
	assert_false(finished);
	assert_int_equal(lazy_socket_descriptor(&lazy), listener);
	fd = connect_to(temporary);
	assert_true(fd >= 0);
	assert_int_equal(next(&pid, &status), LAZY_NOTHING);
	assert_int_equal(connect_to(temporary), -1);
	end(fd);
}

/* What was said and not read: descriptors stay open, and that it finished is heard. */
static void test_refusing(void **state)
{
	CLEANUP(descriptor_close) int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	(void)state;
	for (int i = 0; i < 4; i++) {
		bool said = i % 2 == 1;
		bool taken = i / 2 == 1;
		int before = open_descriptors();
		int fd = begin();
		pid_t pid;
		int kept;

		say_number(fd, 30);
		say_descriptors(fd, file, 1);
		if (taken)
			assert_int_equal(next(&pid, &kept), LAZY_MEMORY);
		say_number(fd, 31);
		say_descriptors(fd, file, 1);
		if (said)
			say_number(fd, FINISHED);
		assert_int_equal(lazy_socket_refuse(lazy_socket_descriptor(&lazy)), said);
		assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
		close(fd);
		assert_int_equal(open_descriptors(), before + 2);
		for (int left = 199; left > file; left--)
			if (fcntl(left, F_GETFD) >= 0 && is_same(left, file))
				close(left);
	}
}

/* However deep the directory is. */
static void test_long_path(void **state)
{
	CLEANUP(memory_release) char *name = memory_allocate(1, 201);
	CLEANUP(memory_release) char *directory = NULL;
	CLEANUP(descriptor_close) int listener = -1;
	CLEANUP(descriptor_close) int fd = -1;

	(void)state;
	memset(name, 'x', 200);
	directory = in_temporary(name);
	assert_int_equal(mkdir(directory, 0700), 0);
	listener = lazy_socket_listen(directory, &err);
	assert_true(listener >= 0);
	finished = false;
	lazy_socket_init(&lazy, descriptor_steal(&listener), &finished);
	lazy_socket_hang_up(directory);
	assert_int_equal(next(NULL, NULL), LAZY_LEFT);
	lazy_socket_release(&lazy);
	/* Over what an earlier one has left. */
	listener = lazy_socket_listen(directory, &err);
	assert_true(listener >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_a_restore), FILE_TEST(test_wrong_words), FILE_TEST(test_others),
		FILE_TEST(test_refusing),  FILE_TEST(test_long_path),
	};

	return RUN_ALL(tests);
}
