// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for telling what criu has been started for. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/wait.h"
#include "system/criu_call.h"
#include "system/protobuf.h"

/* Of criu's images/rpc.proto: the field `type` of criu_req, which comes first, and two of its values. */
#define FIELD_TYPE 1
#define TYPE_DUMP 1
#define TYPE_RESTORE 2

/* The beginning of a request. */
#define PEEK_SIZE 64

static enum criu_call call_of_type(const unsigned char *bytes, size_t length)
{
	struct protobuf message = { bytes, length };
	struct protobuf_field field;

	if (protobuf_next(&message, &field) <= 0 || field.number != FIELD_TYPE ||
	    field.encoding != PROTOBUF_NUMBER)
		return CRIU_OTHER;
	if (field.value == TYPE_DUMP)
		return CRIU_DUMP;
	return field.value == TYPE_RESTORE ? CRIU_RESTORE : CRIU_OTHER;
}

static enum criu_call call_of_request(int fd)
{
	struct pollfd ready = { fd, POLLIN, 0 };
	unsigned char bytes[PEEK_SIZE];
	struct error ignored;
	ssize_t length;

	if (wait_for(&ready, 1, -1, &ignored) <= 0)
		return CRIU_OTHER;
	length = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	return length > 0 ? call_of_type(bytes, (size_t)length) : CRIU_OTHER;
}

static enum criu_call call_of_socket(const char *word)
{
	char *end;
	long fd = strtol(word, &end, 10);

	if (end == word || *end != '\0' || fd <= STDERR_FILENO || fd > INT_MAX)
		return CRIU_OTHER;
	return call_of_request((int)fd);
}

enum criu_call criu_call(char *const *argv)
{
	const char *verb = argv[0] != NULL ? argv[1] : NULL;

	if (verb == NULL)
		return CRIU_OTHER;
	if (strcmp(verb, "dump") == 0)
		return CRIU_DUMP;
	if (strcmp(verb, "restore") == 0)
		return CRIU_RESTORE;
	if (strcmp(verb, "swrk") == 0 && argv[2] != NULL)
		return call_of_socket(argv[2]);
	return CRIU_OTHER;
}
