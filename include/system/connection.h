/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to the destination as the program sees it: one ssh session, owned by a small
 * process of its own (system/carrier.h), through which commands run over there with three of this
 * side's descriptors.
 *
 * The descriptors given to a remote command are borrowed: the carrier gets duplicates of them at
 * remote_start(), so that the caller may close its own at once (and must, to let an end of file
 * through). Contract for them:
 *  - pipes, sockets, regular files and /dev/null work; sockets (socketpair) are the fastest, since
 *    they can be written without blocking; a pipe is written 4 KiB at a time;
 *  - O_NONBLOCK is neither needed nor changed;
 *  - the carrier alone reads or writes them while the command runs;
 *  - what is not consumed here stops the command over there after about 2 MiB (its window), and
 *    never another command on the same connection.
 */
#ifndef SYSTEM_CONNECTION_H
#define SYSTEM_CONNECTION_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/process.h"
#include "system/ssh_options.h"

/* Start from CONNECTION_NONE. */
struct connection {
	struct process carrier;
	int socket;	 /* to the carrier; its closing ends the carrier and everything it runs */
	char *host;	 /* the destination as the admin wrote it, for messages */
	char *user;	 /* who is logged in over there */
	char *address;	 /* this end's, numeric; "" behind a proxy */
	bool compresses; /* what goes through it, by itself (ssh's Compression) */
	bool lost;	 /* and why: */
	struct error reason;
};

#define CONNECTION_NONE                                                                            \
	{                                                                                          \
		.carrier = PROCESS_NONE, .socket = -1                                              \
	}

/*
 * Forks the carrier, connects, checks the host key and logs in. Waits through wait_for(). A peer
 * silent for timeout_seconds is lost, then and later. Where a terminal is there (and BatchMode is
 * not set), a password, a passphrase or an unknown host key is asked for on /dev/tty.
 * EXIT_CONNECT, EXIT_USAGE (options) or EXIT_RUNTIME (no ssh program) on failure.
 */
int connection_open(struct connection *connection, const struct destination *destination,
		    const struct ssh_options *options, int timeout_seconds, struct error *err);

/* Ends every command still running through it, and the carrier. */
void connection_close(struct connection *connection);

/* The user that is logged in over there: whoever is not "root" needs sudo. */
const char *connection_user(const struct connection *connection);

/*
 * A wait_check: wait_watch(connection->socket, 1000, connection_check, connection) makes every wait
 * fail with EXIT_CONNECT and the reason as soon as the peer is lost or the carrier has died. Once
 * lost it stays lost. wait_unwatch() before connection_close().
 */
int connection_check(void *opaque, struct error *err);

/* A command over there. Start from REMOTE_NONE. */
struct remote_process {
	struct connection *connection;
	int socket;    /* to the carrier, one per command; readable when it has ended */
	char *command; /* for messages */
};

#define REMOTE_NONE                                                                                \
	{                                                                                          \
		.socket = -1                                                                       \
	}

/*
 * Runs `command` by the login shell over there (quote it with words_quote()); -1 for a descriptor
 * means /dev/null. Returns as soon as the carrier has taken the order: a command that cannot be
 * started shows in remote_wait().
 */
int remote_start(struct connection *connection, const char *command, int input, int output,
		 int errors, struct remote_process *remote, struct error *err);

/*
 * Waits at most timeout_ms (-1: no limit) until the command has ended and everything it printed
 * has been written here. Returns 0 with *status (128 + N for death by a signal), -1 with
 * EXIT_CONNECT when the connection was lost, -1 as process_wait() when the time is up (then the
 * command still runs).
 */
int remote_wait(struct remote_process *remote, int timeout_ms, int *status, struct error *err);

/* Closes its channel when it still runs (sshd then hangs it up), and frees what the struct owns. */
void remote_release(struct remote_process *remote);

/*
 * A new SEQPACKET descriptor over which one process at a time may ask the carrier to run commands,
 * one after the other (system/pipe.h). The caller closes it. Commands run over it end when the last
 * copy of it is closed.
 */
int connection_client(struct connection *connection, struct error *err);

#endif
