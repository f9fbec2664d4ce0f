/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a remote command: local bytes to its standard input, or its output to a local
 * descriptor. Nothing here ever blocks, whatever kind of descriptor it is: the other holders of it
 * may not have made it non-blocking, and must not find it so.
 */
#ifndef SYSTEM_CARRIER_STREAM_H
#define SYSTEM_CARRIER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <libssh/libssh.h>

/* What is read and written at once: larger pieces cost nothing less. */
#define CARRIER_CHUNK (256 << 10)

enum stream_type { STREAM_OTHER, STREAM_SOCKET, STREAM_PIPE };

/* Start from CARRIER_STREAM_NONE. */
struct carrier_stream {
	int fd; /* owned; -1: closed */
	enum stream_type type;
	char *pending; /* taken from the one side, not yet by the other; NULL: nothing */
	size_t start, end;
};

#define CARRIER_STREAM_NONE                                                                        \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Takes the descriptor. */
void carrier_stream_open(struct carrier_stream *stream, int fd);

/* Closes; `shut_down` tells the peer of a socket that others hold too. */
void carrier_stream_close(struct carrier_stream *stream, bool shut_down);

bool carrier_stream_pending(const struct carrier_stream *stream);

/*
 * Moves local bytes into the channel as far as the peer's window reaches; call it when the
 * descriptor has input or when something is pending. Returns 1: more may come, 0: end of input and
 * all of it is in the channel, -1: the channel takes no more.
 */
int carrier_stream_send(struct carrier_stream *stream, ssh_channel channel);

/*
 * Moves what has come on the channel (*waiting bytes) into the descriptor, as far as that takes it.
 * What it does not take is kept, and the channel is not read on (so that its window closes) until
 * it is gone. Returns 0, or -1: nobody reads any more.
 */
int carrier_stream_receive(struct carrier_stream *stream, ssh_channel channel, bool errors,
			   size_t *waiting);

#endif
