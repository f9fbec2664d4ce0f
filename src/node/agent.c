// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for serving requests on the destination, and for what happens when they stop. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/agent.h"
#include "node/host.h"
#include "node/operations.h"
#include "system/processes.h"
#include "wire/message.h"

/* A source that started us and then does not greet is none. */
#define GREETING_LIMIT_MS 60000

/* It removes its temporary file first. */
#define RSYNC_END_MS 3000

static void send_log(void *data, enum log_level level, const char *text)
{
	json_object *message = message_new("log");
	struct wire *wire = data;
	struct error ignored;

	json_add_number(message, "level", (int64_t)level);
	json_add_text(message, "text", text);
	if (!wire->sending)
		message_send(wire, message, 1000, &ignored);
	json_object_put(message);
}

static int greet(struct wire *wire, struct error *err)
{
	CLEANUP(json_release) json_object *ours = message_hello();
	CLEANUP(json_release) json_object *theirs = NULL;
	int64_t timeout;
	int64_t level;

	if (message_send(wire, ours, GREETING_LIMIT_MS, err) < 0)
		return -1;
	theirs = message_receive(wire, GREETING_LIMIT_MS, err);
	if (theirs == NULL || message_check_hello(wire, theirs, err) < 0 ||
	    json_get_number(theirs, "timeout", 1, 3600, &timeout, err) < 0 ||
	    json_get_number(theirs, "verbosity", LOG_WARNING, LOG_TRACE, &level, err) < 0)
		return -1;
	log_set_level((enum log_level)level);
	log_set_sink(send_log, wire);
	message_start_pings(wire, (int)timeout);
	return 0;
}

static json_object *answer(struct host *host, json_object *request)
{
	json_object *arguments;
	json_object *message;
	json_object *result;
	struct error failure = { 0 };
	const char *name = json_get_text(request, "operation", 64, &failure);

	arguments = name != NULL ? json_get_object(request, "arguments", &failure) : NULL;
	/* Where its other end failed it waits until the connection ends, and nothing of it shall be left. */
	if (name != NULL && strcmp(name, "rollback") == 0)
		processes_end_of_login("rsync", RSYNC_END_MS);
	if (arguments == NULL || operation_run(host, name, arguments, &result, &failure) < 0)
		return message_from_error(&failure);
	message = message_new("result");
	json_object_object_add(message, "result", result);
	return message;
}

/* The request's number, for its answer. */
static json_object *number_of(json_object *request)
{
	json_object *number = NULL;

	json_object_object_get_ex(request, "number", &number);
	return json_object_get(number);
}

/* Until the connection ends, in whatever way. */
static void serve(struct wire *wire, struct host *host, struct error *err)
{
	for (;;) {
		CLEANUP(json_release)
		json_object *request = message_receive(wire, wire->silence_ms, err);
		CLEANUP(json_release) json_object *reply = NULL;

		if (request == NULL)
			return;
		if (!message_is(request, "request"))
			continue;
		reply = answer(host, request);
		json_object_object_add(reply, "number", number_of(request));
		if (message_send(wire, reply, wire->silence_ms, err) < 0)
			return;
	}
}

int agent_main(void)
{
	CLEANUP(host_release) struct host host = HOST_NONE;
	struct wire wire = { .input = STDIN_FILENO, .peer = "the source" };
	struct error failure;

	/* The end of sshd's session must not end what is half done. */
	setsid();
	wait_catch_signals();
	/* Only frames go to the source, whatever a library prints. */
	wire.output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (wire.output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return EXIT_CONNECT;
	if (greet(&wire, &failure) < 0)
		return EXIT_CONNECT;
	serve(&wire, &host, &failure);
	log_set_sink(NULL, NULL);
	/* sshd may take hours to see that nobody is there any more. */
	processes_end_of_login("rsync", RSYNC_END_MS);
	if (host.journal.records != NULL && host.journal.state == JOURNAL_BEGUN)
		host_rollback(&host, &failure);
	return EXIT_OK;
}
