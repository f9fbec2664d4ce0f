// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for asking the carrier on behalf of the rest of the program. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "system/carrier.h"
#include "system/carrier_message.h"
#include "system/connection.h"
#include "system/ssh_config.h"

/* How long the carrier may take to say goodbye to the server before it is stopped. */
#define GOODBYE_MS 1000

static int carrier_died(struct connection *connection)
{
	connection->lost = true;
	return error_exit(&connection->reason, EXIT_CONNECT,
			  "the connection to '%s' was lost: the process of its ssh session ended "
			  "unexpectedly",
			  connection->host);
}

/* Takes what the carrier says. Returns 1 when it is ready, 0 for anything else, -1 when it ended. */
static int hear_carrier(struct connection *connection)
{
	struct carrier_message message;
	int got = carrier_receive(connection->socket, &message);
	int result = 0;

	if (got < 0)
		return carrier_died(connection);
	if (got == 0)
		return 0;
	if (message.kind == CARRIER_LOG) {
		log_message((enum log_level)message.number, "%s", message.text);
	} else if (message.kind == CARRIER_READY) {
		connection->address = memory_duplicate(message.text);
		result = 1;
	} else if (message.kind == CARRIER_LOST) {
		connection->lost = true;
		result = error_exit(&connection->reason, (enum exit_status)message.number, "%s",
				    message.text);
	}
	carrier_message_release(&message);
	return result;
}

static int wait_until_ready(struct connection *connection, struct error *err)
{
	struct pollfd ready = { connection->socket, POLLIN, 0 };
	int result = 0;

	while (result == 0) {
		/* No limit of our own: the carrier has one, except while the admin is typing. */
		if (wait_for(&ready, 1, -1, err) < 0)
			return -1;
		result = hear_carrier(connection);
	}
	if (result < 0)
		*err = connection->reason;
	return result < 0 ? -1 : 0;
}

static int fork_carrier(struct connection *connection, const struct ssh_config *config,
			int timeout_seconds, struct error *err)
{
	CLEANUP(descriptor_close) int theirs = -1;
	struct carrier_setup setup = { .config = config, .timeout_seconds = timeout_seconds };

	if (carrier_pair(&connection->socket, &theirs, err) < 0)
		return -1;
	setup.socket = theirs;
	return process_fork(&connection->carrier, carrier_main, &setup, &theirs, 1, err);
}

int connection_open(struct connection *connection, const struct destination *destination,
		    const struct ssh_options *options, int timeout_seconds, struct error *err)
{
	CLEANUP(ssh_config_release) struct ssh_config config = { 0 };

	*connection = (struct connection)CONNECTION_NONE;
	connection->host = memory_duplicate(destination->host);
	if (ssh_config_resolve(&config, destination, options, err) < 0 ||
	    fork_carrier(connection, &config, timeout_seconds, err) < 0 ||
	    wait_until_ready(connection, err) < 0) {
		connection_close(connection);
		return -1;
	}
	connection->user = memory_duplicate(config.user);
	connection->compresses = config.compression;
	log_debug("logged in to '%s' as '%s'", connection->host, connection->user);
	return 0;
}

void connection_close(struct connection *connection)
{
	struct error ignored;

	descriptor_close(&connection->socket);
	if (connection->carrier.pid != 0) {
		wait_shield();
		process_wait(&connection->carrier, GOODBYE_MS, &ignored);
		wait_unshield();
	}
	process_release(&connection->carrier);
	memory_release(&connection->host);
	memory_release(&connection->user);
	memory_release(&connection->address);
	*connection = (struct connection)CONNECTION_NONE;
}

const char *connection_user(const struct connection *connection)
{
	return connection->user;
}

int connection_check(void *opaque, struct error *err)
{
	struct connection *connection = opaque;
	struct pollfd ready = { connection->socket, POLLIN, 0 };

	while (!connection->lost && poll(&ready, 1, 0) > 0)
		hear_carrier(connection);
	if (!connection->lost)
		return 0;
	*err = connection->reason;
	return -1;
}

int connection_client(struct connection *connection, struct error *err)
{
	CLEANUP(descriptor_close) int ours = -1;
	CLEANUP(descriptor_close) int theirs = -1;

	if (connection_check(connection, err) < 0 || carrier_pair(&ours, &theirs, err) < 0)
		return -1;
	if (carrier_send(connection->socket, CARRIER_CLIENT, 0, "", &theirs, 1, err) < 0) {
		struct error failure;

		/* Why it is gone says more than that it cannot be asked. */
		if (connection_check(connection, &failure) < 0)
			*err = failure;
		return error_default(err, EXIT_CONNECT);
	}
	return descriptor_steal(&ours);
}

int remote_start(struct connection *connection, const char *command, int input, int output,
		 int errors, struct remote_process *remote, struct error *err)
{
	CLEANUP(descriptor_close) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[3] = { input >= 0 ? input : null_fd, output >= 0 ? output : null_fd,
		       errors >= 0 ? errors : null_fd };

	*remote = (struct remote_process)REMOTE_NONE;
	if (null_fd < 0)
		return error_system(err, "cannot open /dev/null");
	log_debug("run on '%s': %s", connection->host, command);
	remote->socket = connection_client(connection, err);
	if (remote->socket < 0)
		return -1;
	remote->connection = connection;
	remote->command = memory_duplicate(command);
	if (carrier_send(remote->socket, CARRIER_RUN, 0, command, fds, 3, err) < 0) {
		remote_release(remote);
		return error_context(err, "cannot run '%s' on '%s'", command, connection->host);
	}
	return 0;
}

/* What the carrier says about a command: 1 with the status, or -1 with the reason. */
static int take_answer(struct remote_process *remote, const struct carrier_message *message,
		       int *status, struct error *err)
{
	struct connection *connection = remote->connection;

	if (message->kind == CARRIER_ENDED) {
		*status = message->number;
		log_trace("'%s' on '%s': exit status %d", remote->command, connection->host,
			  *status);
		return 1;
	}
	error_exit(err, (enum exit_status)message->number, "%s", message->text);
	if (message->kind == CARRIER_FAILED)
		return error_context(err, "cannot run '%s' on '%s'", remote->command,
				     connection->host);
	connection->lost = true;
	connection->reason = *err;
	return -1;
}

/* As take_answer(); 0 when nothing was said yet. */
static int hear_end(struct remote_process *remote, int *status, struct error *err)
{
	struct carrier_message message;
	int got = carrier_receive(remote->socket, &message);

	if (got > 0) {
		got = take_answer(remote, &message, status, err);
	} else if (got < 0) {
		/* If the carrier gave a reason, main's socket has it. */
		if (connection_check(remote->connection, err) == 0) {
			carrier_died(remote->connection);
			*err = remote->connection->reason;
		}
	}
	carrier_message_release(&message);
	return got;
}

int remote_wait(struct remote_process *remote, int timeout_ms, int *status, struct error *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : wait_clock() + timeout_ms;

	for (;;) {
		struct pollfd ready = { remote->socket, POLLIN, 0 };
		int64_t left = deadline - wait_clock();
		int result;

		left = deadline < 0 ? -1 : left < 0 ? 0 : left;
		result = wait_for(&ready, 1, (int)left, err);
		if (result < 0)
			return -1;
		if (result == 0)
			return error_set(err, "'%s' on '%s' did not finish within %d.%d s",
					 remote->command, remote->connection->host,
					 timeout_ms / 1000, timeout_ms % 1000 / 100);
		result = hear_end(remote, status, err);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
}

void remote_release(struct remote_process *remote)
{
	descriptor_close(&remote->socket);
	memory_release(&remote->command);
	remote->connection = NULL;
}
