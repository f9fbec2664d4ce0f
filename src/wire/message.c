// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for frames on a byte stream and the messages in them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/wait.h"
#include "wire/message.h"

/* What a peer that speaks something else may have said, as far as a message quotes it. */
#define QUOTED_BYTES 60
#define QUOTE_WAIT_MS 100

static int time_left(int64_t deadline)
{
	int64_t left;

	if (deadline < 0)
		return -1;
	left = deadline - wait_clock();
	return left > 0 ? (int)left : 0;
}

static int write_bytes(struct wire *wire, const char *bytes, size_t length, int64_t deadline,
		       struct error *err)
{
	while (length > 0) {
		struct pollfd ready = { wire->output, POLLOUT, 0 };
		int count = wait_for(&ready, 1, time_left(deadline), err);
		/* Never more than a pipe takes at once when poll says it is writable: this cannot
		 * block whatever the mode of the descriptor. */
		size_t piece = length < 4096 ? length : 4096;
		ssize_t written;

		if (count < 0)
			return -1;
		if (count == 0)
			return error_exit(err, EXIT_CONNECT, "%s takes no message", wire->peer);
		written = write(wire->output, bytes, piece);
		if (written < 0 && errno != EAGAIN && errno != EINTR)
			return error_exit(err, EXIT_CONNECT, "the connection to %s is lost: %s",
					  wire->peer, strerror(errno));
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

int message_send(struct wire *wire, json_object *message, int timeout_ms, struct error *err)
{
	const char *body = json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN);
	size_t length = strlen(body);
	uint32_t header = htonl((uint32_t)length);
	CLEANUP(text_release) struct text frame = { 0 };
	int result;

	if (length > MESSAGE_LIMIT)
		return error_set(err, "a message of %zu bytes is too long", length);
	text_append(&frame, &header, sizeof(header));
	text_append(&frame, body, length);
	wire->sending = true;
	result = write_bytes(wire, frame.bytes, frame.length,
			     timeout_ms < 0 ? -1 : wait_clock() + timeout_ms, err);
	wire->sending = false;
	return result;
}

/* Returns how many bytes came: fewer than `length` at the end of the stream. */
static ssize_t read_bytes(struct wire *wire, char *bytes, size_t length, int64_t deadline,
			  struct error *err)
{
	size_t done = 0;

	while (done < length) {
		struct pollfd ready = { wire->input, POLLIN, 0 };
		int count = wait_for(&ready, 1, time_left(deadline), err);
		ssize_t got;

		if (count < 0)
			return -1;
		if (count == 0)
			return error_exit(err, EXIT_CONNECT, "%s does not answer", wire->peer);
		got = read(wire->input, bytes + done, length - done);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0)
			return error_exit(err, EXIT_CONNECT, "the connection to %s is lost: %s",
					  wire->peer, strerror(errno));
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* The peer said something else: quotes what it said, as far as it is there without waiting. */
static void reject(struct wire *wire, const char *bytes, size_t length, struct error *err)
{
	char said[QUOTED_BYTES];
	char shown[QUOTED_BYTES + 1];
	struct pollfd ready = { wire->input, POLLIN, 0 };
	struct error ignored;
	ssize_t more = 0;

	memcpy(said, bytes, length);
	if (wait_for(&ready, 1, QUOTE_WAIT_MS, &ignored) > 0)
		more = read(wire->input, said + length, sizeof(said) - length);
	text_printable(shown, sizeof(shown), said, length + (more > 0 ? (size_t)more : 0));
	error_exit(err, EXIT_CONNECT,
		   "%s does not speak vzmigrate's protocol: it said '%s'; its login must print "
		   "nothing, and vzmigrate there must be the real one",
		   wire->peer, text_strip(shown));
}

json_object *message_receive(struct wire *wire, int timeout_ms, struct error *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : wait_clock() + timeout_ms;
	CLEANUP(memory_release) char *body = NULL;
	json_object *message;
	uint32_t header;
	ssize_t got;

	got = read_bytes(wire, (char *)&header, sizeof(header), deadline, err);
	if (got < 0)
		return NULL;
	if (got == 0) {
		error_exit(err, EXIT_CONNECT, "%s closed the connection", wire->peer);
		return NULL;
	}
	if (got < (ssize_t)sizeof(header) || ntohl(header) > MESSAGE_LIMIT || ntohl(header) < 2) {
		reject(wire, (char *)&header, (size_t)got, err);
		return NULL;
	}
	body = memory_allocate(ntohl(header) + 1, 1);
	got = read_bytes(wire, body, ntohl(header), deadline, err);
	if (got < 0)
		return NULL;
	if (got < (ssize_t)ntohl(header)) {
		error_exit(err, EXIT_CONNECT, "%s closed the connection in a message", wire->peer);
		return NULL;
	}
	message = json_tokener_parse(body);
	if (!json_object_is_type(message, json_type_object) ||
	    json_find_text(message, "type") == NULL) {
		json_object_put(message);
		error_exit(err, EXIT_CONNECT, "%s sent a message that is not one of vzmigrate's",
			   wire->peer);
		return NULL;
	}
	return message;
}

/* A lost connection is found by whoever waits for a message; a pipe that is full just now is none. */
static int ping(void *data, struct error *err)
{
	CLEANUP(json_release) json_object *message = message_new("ping");
	struct wire *wire = data;
	struct error ignored;

	(void)err;
	if (!wire->sending)
		message_send(wire, message, 0, &ignored);
	return 0;
}

int message_start_pings(struct wire *wire, int timeout_seconds)
{
	wire->silence_ms = timeout_seconds * 1000 * SILENCE_FACTOR;
	return wait_watch(-1, timeout_seconds * 1000 / PINGS_PER_TIMEOUT, ping, wire);
}

json_object *message_new(const char *type)
{
	json_object *message = json_object_new_object();

	json_add_text(message, "type", type);
	return message;
}

bool message_is(json_object *message, const char *type)
{
	const char *found = json_find_text(message, "type");

	return found != NULL && strcmp(found, type) == 0;
}

json_object *message_from_error(const struct error *failure)
{
	json_object *message = message_new("error");

	json_add_number(message, "exit_status", failure->exit_status);
	json_add_text(message, "text", failure->text);
	return message;
}

int message_to_error(json_object *message, struct error *err)
{
	const char *text = json_find_text(message, "text");
	struct error ignored;
	int64_t status = 0;

	error_set(err, "%s", text != NULL ? text : "it failed without saying why");
	/* Only what is published; what else a peer may say leaves it to the step. */
	if (json_get_number(message, "exit_status", 0, 255, &status, &ignored) == 0 &&
	    exit_status_is_failure((int)status))
		err->exit_status = (int)status;
	return -1;
}

json_object *message_hello(void)
{
	json_object *message = message_new("hello");

	json_add_number(message, "protocol", MESSAGE_PROTOCOL);
	json_add_text(message, "version", VZMIGRATE_VERSION);
	return message;
}

int message_check_hello(struct wire *wire, json_object *message, struct error *err)
{
	const char *version = json_find_text(message, "version");
	char shown[32];
	struct error ignored;
	int64_t protocol = 0;

	if (!message_is(message, "hello") || version == NULL ||
	    json_get_number(message, "protocol", 0, 1000000, &protocol, &ignored) < 0)
		return error_exit(err, EXIT_CONNECT, "%s did not greet as vzmigrate does",
				  wire->peer);
	text_printable(shown, sizeof(shown), version, strlen(version));
	if (protocol != MESSAGE_PROTOCOL)
		return error_exit(err, EXIT_CONNECT,
				  "vzmigrate %s on %s speaks protocol %d, this one (%s) speaks %d: "
				  "install the same version on both nodes",
				  shown, wire->peer, (int)protocol, VZMIGRATE_VERSION,
				  MESSAGE_PROTOCOL);
	return 0;
}
