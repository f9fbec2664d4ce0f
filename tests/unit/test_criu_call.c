// SPDX-License-Identifier: GPL-2.0-or-later
/* What criu was started for: by its words, and by the request on its socket, which stays there for criu. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/criu_call.h"
#include "unit.h"

/* As runc's go-criu and crun's libcriu write them: the type, then the options. */
static const unsigned char dump[] = { 0x08, 1, 0x12, 2, 0x08, 5 };
static const unsigned char restore[] = { 0x08, 2, 0x12, 2, 0x08, 5 };
static const unsigned char version[] = { 0x08, 10 };
static const unsigned char features[] = { 0x08, 9, 0x2a, 2, 0x10, 1 };

static enum criu_call call(const char *first, const char *second)
{
	char *argv[] = { "criu", (char *)(uintptr_t)first, (char *)(uintptr_t)second, NULL };

	return criu_call(argv);
}

static void test_words(void **state)
{
	char *nothing[] = { NULL };
	char *alone[] = { "criu", NULL };

	(void)state;
	assert_int_equal(call("dump", "-t"), CRIU_DUMP);
	assert_int_equal(call("restore", "-D"), CRIU_RESTORE);
	assert_int_equal(call("--version", NULL), CRIU_OTHER);
	assert_int_equal(call("check", NULL), CRIU_OTHER);
	assert_int_equal(criu_call(nothing), CRIU_OTHER);
	assert_int_equal(criu_call(alone), CRIU_OTHER);
}

/* What criu is taken to be started for when these bytes are the request; they are still there. */
static enum criu_call request(const void *bytes, size_t length)
{
	CLEANUP(memory_release) char *number = NULL;
	unsigned char left[4096];
	enum criu_call found;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(write(pair[0], bytes, length), (ssize_t)length);
	number = memory_format("%d", pair[1]);
	found = call("swrk", number);
	assert_int_equal(recv(pair[1], left, sizeof(left), MSG_DONTWAIT), (ssize_t)length);
	assert_memory_equal(left, bytes, length);
	close(pair[0]);
	close(pair[1]);
	return found;
}

static void test_requests(void **state)
{
	unsigned char large[3000] = { 0 };

	(void)state;
	assert_int_equal(request(dump, sizeof(dump)), CRIU_DUMP);
	assert_int_equal(request(restore, sizeof(restore)), CRIU_RESTORE);
	assert_int_equal(request(version, sizeof(version)), CRIU_OTHER);
	assert_int_equal(request(features, sizeof(features)), CRIU_OTHER);
	/* Options are longer than what is looked at. */
	memcpy(large, restore, sizeof(restore));
	assert_int_equal(request(large, sizeof(large)), CRIU_RESTORE);
}

static void test_no_requests(void **state)
{
	static const unsigned char text[] = { 0x0a, 1, 2 };
	static const unsigned char cut[] = { 0x08 };
	static const unsigned char endless[] = { 0x08, 0xff, 0xff, 0xff, 0xff, 0xff,
						 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const unsigned char later[] = { 0x18, 1, 0x08, 2 };

	(void)state;
	assert_int_equal(request(text, sizeof(text)), CRIU_OTHER);
	assert_int_equal(request(cut, sizeof(cut)), CRIU_OTHER);
	assert_int_equal(request(endless, sizeof(endless)), CRIU_OTHER);
	assert_int_equal(request(later, sizeof(later)), CRIU_OTHER);
}

static void test_no_socket(void **state)
{
	CLEANUP(memory_release) char *number = NULL;
	int pair[2];

	(void)state;
	assert_int_equal(call("swrk", NULL), CRIU_OTHER);
	assert_int_equal(call("swrk", ""), CRIU_OTHER);
	assert_int_equal(call("swrk", "3x"), CRIU_OTHER);
	assert_int_equal(call("swrk", "-3"), CRIU_OTHER);
	assert_int_equal(call("swrk", "1"), CRIU_OTHER);
	assert_int_equal(call("swrk", "99999999999999999999"), CRIU_OTHER);
	assert_int_equal(call("swrk", "1000000"), CRIU_OTHER);
	/* Whoever started it is gone. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	close(pair[0]);
	number = memory_format("%d", pair[1]);
	assert_int_equal(call("swrk", number), CRIU_OTHER);
	close(pair[1]);
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], restore, sizeof(restore)), (ssize_t)sizeof(restore));
	free(memory_steal(&number));
	number = memory_format("%d", pair[0]);
	assert_int_equal(call("swrk", number), CRIU_OTHER);
	close(pair[0]);
	close(pair[1]);
}

/* The request may come later: it is waited for. */
static void test_late(void **state)
{
	CLEANUP(memory_release) char *number = NULL;
	int pair[2];
	pid_t writer;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		usleep(100000);
		_exit(write(pair[0], dump, sizeof(dump)) != (ssize_t)sizeof(dump));
	}
	number = memory_format("%d", pair[1]);
	assert_int_equal(call("swrk", number), CRIU_DUMP);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	    cmocka_unit_test(test_requests),
		cmocka_unit_test(test_no_requests), cmocka_unit_test(test_no_socket),
		cmocka_unit_test(test_late),
	};

	return RUN_ALL(tests);
}
