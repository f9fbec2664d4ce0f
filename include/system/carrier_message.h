/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said to and by the carrier: one message is one packet of a SOCK_SEQPACKET socket, a kind,
 * a number, a text, and perhaps descriptors (SCM_RIGHTS). Both ends are the same program.
 */
#ifndef SYSTEM_CARRIER_MESSAGE_H
#define SYSTEM_CARRIER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum carrier_kind {
	/* From the carrier to main: */
	CARRIER_LOG = 1, /* number: an enum log_level */
	CARRIER_READY, /* logged in; text: this end's address, or ""; before it only CARRIER_LOG */
	/* To main and to every client, then the carrier exits: */
	CARRIER_LOST, /* text: the sentence; number: its exit status */
	/* From main: */
	CARRIER_CLIENT, /* one descriptor: the carrier's end of a new client's socket */
	/* From a client, which then waits for CARRIER_ENDED or CARRIER_FAILED: */
	CARRIER_RUN, /* text: the command; descriptors: its input, output, errors */
	/* To a client: */
	CARRIER_ENDED,	/* number: the status of the command */
	CARRIER_FAILED, /* the command could not be started; text and number as CARRIER_LOST */
};

/* The longest text. A packet must fit into the socket's buffer (net.core.wmem_default, 208 KiB). */
#define CARRIER_TEXT_LIMIT (96 << 10)

struct carrier_message {
	enum carrier_kind kind;
	int number;
	char *text; /* owned */
	int fds[3]; /* owned; -1: none */
};

#define CARRIER_MESSAGE_NONE                                                                       \
	{                                                                                          \
		.fds = { -1, -1, -1 }                                                              \
	}

/* A pair of sockets for such messages, both close-on-exec. */
int carrier_pair(int *ours, int *theirs, struct error *err);

/* Sends; fds are borrowed. */
int carrier_send(int socket, enum carrier_kind kind, int number, const char *text, const int *fds,
		 size_t fd_count, struct error *err);

/* Receives one message without waiting. Returns 1, 0: there is none, -1: the other end is gone. */
int carrier_receive(int socket, struct carrier_message *message);

void carrier_message_release(struct carrier_message *message);

#endif
