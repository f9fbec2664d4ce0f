/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client of the carrier and the command it runs, if any: from its order to the report of the
 * command's status, which is made when the channel is closed and all output is written.
 *
 * Memory is bounded: libssh holds at most its window (1.25 MiB) of output that is not read here,
 * and a stream as much that was read and is not taken; of the input only what the channel left.
 */
#ifndef SYSTEM_CARRIER_CHANNEL_H
#define SYSTEM_CARRIER_CHANNEL_H

#include <poll.h>
#include <stdbool.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "base/error.h"
#include "system/carrier_stream.h"

enum channel_state {
	CHANNEL_IDLE, /* nothing runs */
	CHANNEL_OPENING,
	CHANNEL_EXECUTING, /* the server was asked to start the command */
	CHANNEL_RUNNING,
};

struct carrier_channel {
	int client; /* its socket; -1: gone */
	enum channel_state state;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	char *command;
	struct carrier_stream input, output, errors;
	size_t waiting[2]; /* bytes that libssh has of output and errors */
	bool remote_eof, remote_closed;
	int status; /* -1: none came */
};

/* Takes the client's socket. Free with carrier_channel_free(). */
struct carrier_channel *carrier_channel_new(int client);

#define CARRIER_CHANNEL_POLLS 4

/*
 * Fills in what the channel waits for (CARRIER_CHANNEL_POLLS descriptors, -1 where nothing).
 * `writable`: the session would take input for the channel now.
 */
void carrier_channel_poll(const struct carrier_channel *self, bool writable,
			  struct pollfd *descriptors);

/* Does what can be done now. False when the client is gone and nothing is left to do for it. */
bool carrier_channel_step(struct carrier_channel *self, ssh_session session,
			  const struct pollfd *descriptors);

/* Tells the client why the carrier ends. */
void carrier_channel_lost(struct carrier_channel *self, const struct error *reason);

/* Closes its channel, if the session still lives, and everything else. */
void carrier_channel_free(struct carrier_channel *self, bool session_alive);

/* May more be written to the session, or does something wait to be sent? */
bool carrier_session_writable(ssh_session session);

#endif
