// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames and messages over a socket pair, honest and hostile. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "wire/message.h"

struct pair {
	struct wire near;
	int far;
};

static int set_up(void **state)
{
	struct pair *pair = memory_allocate(1, sizeof(*pair));
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pair->near = (struct wire){ .input = ends[0], .output = ends[0], .peer = "host2" };
	pair->far = ends[1];
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;

	close(pair->near.input);
	if (pair->far >= 0)
		close(pair->far);
	free(pair);
	return 0;
}

static void send_frame(int fd, const char *body)
{
	uint32_t header = htonl((uint32_t)strlen(body));

	assert_int_equal(write(fd, &header, sizeof(header)), sizeof(header));
	assert_int_equal(write(fd, body, strlen(body)), (ssize_t)strlen(body));
}

static void test_round_trip(void **state)
{
	struct pair *pair = *state;
	struct wire far = { .input = pair->far, .output = pair->far, .peer = "near" };
	CLEANUP(json_release) json_object *sent = message_new("request");
	CLEANUP(json_release) json_object *got = NULL;
	struct error err;

	json_add_text(sent, "operation", "probe \xc3\xa4 \"quoted\"");
	assert_int_equal(message_send(&pair->near, sent, 1000, &err), 0);
	got = message_receive(&far, 1000, &err);
	assert_non_null(got);
	assert_true(message_is(got, "request"));
	assert_string_equal(json_find_text(got, "operation"), "probe \xc3\xa4 \"quoted\"");
}

static void test_error_crosses(void **state)
{
	struct error sent = { 0 };
	struct error got = { 0 };
	json_object *message;

	(void)state;
	error_exit(&sent, EXIT_COPY, "cannot copy '%s'", "x");
	message = message_from_error(&sent);
	assert_int_equal(message_to_error(message, &got), -1);
	assert_int_equal(got.exit_status, EXIT_COPY);
	assert_string_equal(got.text, "cannot copy 'x'");
	json_object_put(message);
}

/* A shell's banner: its first bytes would be a length of more than a GiB. */
static void test_banner_is_quoted(void **state)
{
	static const char banner[] = "Welcome to host2!\n";
	struct pair *pair = *state;
	struct error err;

	assert_int_equal(write(pair->far, banner, strlen(banner)), (ssize_t)strlen(banner));
	assert_null(message_receive(&pair->near, 1000, &err));
	assert_int_equal(err.exit_status, EXIT_CONNECT);
	assert_non_null(strstr(err.text, "Welcome to host2!"));
}

static void test_length_is_checked_before_reading(void **state)
{
	struct pair *pair = *state;
	uint32_t header = htonl(MESSAGE_LIMIT + 1);
	struct error err;

	assert_int_equal(write(pair->far, &header, sizeof(header)), sizeof(header));
	assert_null(message_receive(&pair->near, 1000, &err));
	assert_int_equal(err.exit_status, EXIT_CONNECT);
}

static void test_what_is_no_message(void **state)
{
	static const char *const bodies[] = { "[]",	      "12",	    "{}",
					      "{\"type\":3}", "{\"type\":", "nonsense" };
	struct pair *pair = *state;
	struct error err;

	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		send_frame(pair->far, bodies[i]);
		assert_null(message_receive(&pair->near, 1000, &err));
		assert_int_equal(err.exit_status, EXIT_CONNECT);
	}
}

static void test_end_of_file(void **state)
{
	struct pair *pair = *state;
	uint32_t header = htonl(100);
	struct error err;

	assert_int_equal(write(pair->far, &header, sizeof(header)), sizeof(header));
	close(pair->far);
	pair->far = -1;
	assert_null(message_receive(&pair->near, 1000, &err));
	assert_int_equal(err.exit_status, EXIT_CONNECT);
	assert_non_null(strstr(err.text, "closed the connection"));
}

static void test_silence(void **state)
{
	struct pair *pair = *state;
	struct error err;

	assert_null(message_receive(&pair->near, 50, &err));
	assert_int_equal(err.exit_status, EXIT_CONNECT);
	assert_non_null(strstr(err.text, "does not answer"));
}

static void test_hello(void **state)
{
	struct pair *pair = *state;
	json_object *hello = message_hello();
	struct error err;

	assert_int_equal(message_check_hello(&pair->near, hello, &err), 0);
	json_add_number(hello, "protocol", MESSAGE_PROTOCOL + 1);
	assert_int_equal(message_check_hello(&pair->near, hello, &err), -1);
	assert_int_equal(err.exit_status, EXIT_CONNECT);
	json_object_object_del(hello, "protocol");
	assert_int_equal(message_check_hello(&pair->near, hello, &err), -1);
	json_object_put(hello);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
		cmocka_unit_test(test_error_crosses),
		cmocka_unit_test_setup_teardown(test_banner_is_quoted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_length_is_checked_before_reading, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end_of_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hello, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
