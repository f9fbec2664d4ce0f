/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams whose every byte is known: a process that writes one, and a process that checks one.
 */
#ifndef TESTS_STREAMS_H
#define TESTS_STREAMS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STREAM_BYTES ((size_t)64 << 20)

/* The same bytes for the same seed, fast: every position of every stream is checked. */
static void fill(uint64_t *seed, char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += sizeof(*seed)) {
		*seed ^= *seed << 13;
		*seed ^= *seed >> 7;
		*seed ^= *seed << 17;
		memcpy(bytes + i, seed, sizeof(*seed));
	}
}

static pid_t start_writer(int fd, uint64_t seed)
{
	static char bytes[1 << 16];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (size_t done = 0; done < STREAM_BYTES; done += sizeof(bytes)) {
		fill(&seed, bytes, sizeof(bytes));
		for (size_t at = 0; at < sizeof(bytes);) {
			ssize_t written = write(fd, bytes + at, sizeof(bytes) - at);

			if (written < 0)
				_exit(1);
			at += (size_t)written;
		}
	}
	_exit(0);
}

static pid_t start_reader(int fd, uint64_t seed)
{
	static char bytes[1 << 16];
	static char expected[1 << 16];
	pid_t pid = fork();
	size_t done = 0;

	if (pid != 0)
		return pid;
	for (;;) {
		size_t at = 0;
		ssize_t got = 0;

		while (at < sizeof(bytes) && (got = read(fd, bytes + at, sizeof(bytes) - at)) > 0)
			at += (size_t)got;
		fill(&seed, expected, sizeof(expected));
		if (got < 0 || memcmp(bytes, expected, at) != 0)
			_exit(1);
		done += at;
		if (at < sizeof(bytes))
			_exit(done == STREAM_BYTES ? 0 : 2);
	}
}

static void make_pair(bool pipe_wanted, int ends[2])
{
	if (pipe_wanted)
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	else
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static int wait_child(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
