// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for standing in for ssh where rsync expects it. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/carrier_message.h"
#include "system/pipe.h"

struct request {
	int socket;
	bool sudo;
	struct text command;
};

static void request_release(struct request *request)
{
	text_release(&request->command);
}

static int parse_socket(struct request *request, const char *word, struct error *err)
{
	socklen_t length = sizeof(int);
	char *end;
	long fd = strtol(word, &end, 10);
	int type = 0;

	request->sudo = strcmp(end, ",sudo") == 0;
	if (end == word || fd < 0 || fd > 65535 || (*end != '\0' && !request->sudo))
		return error_exit(err, EXIT_USAGE, "'%s' after --pipe is no descriptor", word);
	request->socket = (int)fd;
	if (getsockopt(request->socket, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
	    type != SOCK_SEQPACKET)
		return error_exit(err, EXIT_USAGE,
				  "descriptor %ld does not lead to an ssh session: --pipe is for "
				  "the rsync that vzmigrate starts",
				  fd);
	return 0;
}

static int parse(struct request *request, int argc, char *const *argv, struct error *err)
{
	int i = 2;

	if (argc < 2)
		return error_exit(err, EXIT_USAGE, "--pipe lacks its descriptor");
	if (parse_socket(request, argv[1], err) < 0)
		return -1;
	if (i + 1 < argc && strcmp(argv[i], "-l") == 0)
		i += 2;
	if (i + 1 >= argc)
		return error_exit(err, EXIT_USAGE, "--pipe lacks a host and a command");
	if (request->sudo)
		text_format(&request->command, "sudo -n");
	for (i++; i < argc; i++)
		text_format(&request->command, "%s%s", request->command.length > 0 ? " " : "",
			    argv[i]);
	return 0;
}

static int hear_end(int socket, struct error *err)
{
	struct pollfd ready = { socket, POLLIN, 0 };
	struct carrier_message message = CARRIER_MESSAGE_NONE;
	int status = PIPE_LOST;
	int got = 0;

	while (got == 0) {
		if (wait_for(&ready, 1, -1, err) < 0)
			return PIPE_LOST;
		got = carrier_receive(socket, &message);
	}
	if (got > 0 && message.kind == CARRIER_ENDED)
		status = message.number;
	else
		error_exit(err, EXIT_CONNECT, "%s",
			   got > 0 ? message.text : "the ssh session has ended");
	carrier_message_release(&message);
	return status;
}

/* The carrier has its own copies: the ends must not stay open here when it closes them. */
static void leave_streams(void)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
}

int pipe_run(int argc, char *const *argv, struct error *err)
{
	static const int standard[3] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	CLEANUP(request_release) struct request request = { 0 };

	err->text[0] = '\0';
	if (parse(&request, argc, argv, err) < 0 ||
	    carrier_send(request.socket, CARRIER_RUN, 0, text_string(&request.command), standard, 3,
			 err) < 0)
		return PIPE_LOST;
	leave_streams();
	return hear_end(request.socket, err);
}
