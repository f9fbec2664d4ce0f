// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the connection and the agent at its other end. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "migration/session.h"

/* The shell's status for a command that it does not find. */
#define STATUS_NOT_FOUND 127

/* How long the other side may take to say why it does not greet. */
#define EXPLANATION_MS 1000

#define CONNECTION_CHECK_MS 1000

int session_connect(struct session *session, const struct destination *destination,
		    const struct ssh_options *options, int timeout_seconds, struct error *err)
{
	if (session->connected && !session->connection.lost)
		return 0;
	session_close(session);
	if (connection_open(&session->connection, destination, options, timeout_seconds, err) < 0)
		return -1;
	session->connected = true;
	session->timeout_seconds = timeout_seconds;
	session->connection_watch = wait_watch(session->connection.socket, CONNECTION_CHECK_MS,
					       connection_check, &session->connection);
	return 0;
}

bool session_needs_sudo(const struct session *session)
{
	return strcmp(connection_user(&session->connection), "root") != 0;
}

/* The last line that the login or the shell printed. */
static void last_line(int fd, char *line, size_t size)
{
	char bytes[2048];
	ssize_t got = recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);
	char *text;

	*line = '\0';
	if (got <= 0)
		return;
	bytes[got] = '\0';
	text = text_strip(bytes);
	text = strrchr(text, '\n') != NULL ? strrchr(text, '\n') + 1 : text;
	text_printable(line, size, text, strlen(text));
}

/* Why there was no greeting: the command's status and last words tell more than the lost stream. */
static int explain(struct session *session, struct error *err)
{
	char line[200];
	struct error ignored;
	int status;

	if (remote_wait(&session->agent, EXPLANATION_MS, &status, &ignored) < 0)
		return -1;
	session->ended = true;
	/* What ended well has shown in its stream what it is. */
	if (status == 0)
		return -1;
	last_line(session->errors, line, sizeof(line));
	if (status == STATUS_NOT_FOUND)
		return error_exit(
			err, EXIT_CONNECT,
			"vzmigrate is not installed on %s, or not on the PATH of a command "
			"run there by ssh (%s)",
			session->connection.host, line);
	return error_exit(err, EXIT_CONNECT, "cannot start vzmigrate on %s: status %d%s%s",
			  session->connection.host, status, *line != '\0' ? ": " : "", line);
}

static int greet(struct session *session, struct error *err)
{
	CLEANUP(json_release) json_object *ours = message_hello();
	CLEANUP(json_release)
	json_object *theirs = message_receive(&session->wire, session->timeout_seconds * 1000, err);

	if (theirs == NULL || message_check_hello(&session->wire, theirs, err) < 0)
		return -1;
	json_add_number(ours, "timeout", session->timeout_seconds);
	json_add_number(ours, "verbosity", (int64_t)log_get_level());
	return message_send(&session->wire, ours, session->timeout_seconds * 1000, err);
}

const char *session_command(const struct session *session)
{
	return session_needs_sudo(session) ? "sudo -n vzmigrate" : "vzmigrate";
}

int session_start_agent(struct session *session, struct error *err)
{
	CLEANUP(descriptor_close) int input = -1;
	CLEANUP(descriptor_close) int output = -1;
	CLEANUP(descriptor_close) int errors = -1;
	CLEANUP(memory_release)
	char *command = memory_format("%s --agent", session_command(session));

	if (process_stream(&session->input, &input, err) < 0 ||
	    process_stream(&session->output, &output, err) < 0 ||
	    process_stream(&session->errors, &errors, err) < 0 ||
	    remote_start(&session->connection, command, input, output, errors, &session->agent,
			 err) < 0)
		return -1;
	session->serving = true;
	session->ended = false;
	session->wire = (struct wire){
		.input = session->output,
		.output = session->input,
		.peer = session->connection.host,
	};
	descriptor_close(&input);
	descriptor_close(&output);
	descriptor_close(&errors);
	session->ping_watch = -1;
	if (greet(session, err) < 0) {
		explain(session, err);
		/* Whatever it is, it has begun nothing that would be worth a wait. */
		session->ended = true;
		return error_default(err, EXIT_CONNECT);
	}
	session->node = (struct node){ .name = session->wire.peer, .wire = &session->wire };
	session->ping_watch = message_start_pings(&session->wire, session->timeout_seconds);
	return 0;
}

void session_stop_agent(struct session *session)
{
	struct error ignored;
	int status;

	if (session->serving && session->ping_watch >= 0)
		wait_unwatch(session->ping_watch);
	descriptor_close(&session->input);
	/* It ends by itself when its input does; it may be putting something back. */
	if (session->serving && !session->ended) {
		wait_shield();
		remote_wait(&session->agent, session->timeout_seconds * 1000, &status, &ignored);
		wait_unshield();
	}
	if (session->serving)
		remote_release(&session->agent);
	descriptor_close(&session->output);
	descriptor_close(&session->errors);
	session->serving = false;
}

void session_close(struct session *session)
{
	session_stop_agent(session);
	if (session->connected) {
		wait_unwatch(session->connection_watch);
		connection_close(&session->connection);
	}
	session->connected = false;
}
