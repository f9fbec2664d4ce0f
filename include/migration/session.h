/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to the destination: one connection for the whole run of the program, and on it one agent
 * for each container.
 */
#ifndef MIGRATION_SESSION_H
#define MIGRATION_SESSION_H

#include "base/error.h"
#include "node/node.h"
#include "system/connection.h"
#include "wire/message.h"

struct session {
	struct connection connection;
	bool connected;
	int connection_watch;
	int timeout_seconds;

	/* The agent of the container that is being migrated. */
	bool serving;
	bool ended; /* and its status has been taken */
	struct remote_process agent;
	struct wire wire;
	struct node node; /* the destination */
	int ping_watch;
	int input;  /* ours, to the agent */
	int output; /* ours, from the agent */
	int errors; /* ours: what its login and its crash print */
};

#define SESSION_NONE                                                                               \
	{                                                                                          \
		.connection = CONNECTION_NONE, .agent = REMOTE_NONE, .input = -1, .output = -1,    \
		.errors = -1,                                                                      \
	}

/* Connects (once) and logs in. EXIT_CONNECT. */
int session_connect(struct session *session, const struct destination *destination,
		    const struct ssh_options *options, int timeout_seconds, struct error *err);

/* Starts an agent and agrees with it on the protocol; session->node is then the destination. */
int session_start_agent(struct session *session, struct error *err);

/* Ends the agent: it finds its connection closed. */
void session_stop_agent(struct session *session);

/* Is somebody other than root logged in there, so that commands go through `sudo -n`? */
bool session_needs_sudo(const struct session *session);

/* This program as a command over there. */
const char *session_command(const struct session *session);

void session_close(struct session *session);

#endif
