/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What criu says, while it restores with its option lazy-pages, to the program that brings the memory: one
 * connection to a unix socket of a known name, on it for each process its pid inside the container and
 * a userfaultfd of its memory, and when all are about to run that the restore is finished.
 */
#ifndef SYSTEM_LAZY_SOCKET_H
#define SYSTEM_LAZY_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* criu's name for it, in its work-dir. */
#define LAZY_SOCKET_NAME "lazy-pages.socket"

/* Makes the socket in this directory, whatever the length of its path. Returns a descriptor that
 * listens, or -1. */
int lazy_socket_listen(const char *directory, struct error *err);

/* Connects, and hangs up: whoever still waits for criu there learns that it will not come. */
void lazy_socket_hang_up(const char *directory);

struct lazy_socket {
	int listener;	/* -1 when criu has come */
	int connection; /* -1 before, and when it has left */
	char bytes[4];	/* the number that is being read */
	size_t have;
	pid_t pid;	/* whose descriptor comes next; 0: a number does */
	bool *finished; /* borrowed */
};

/* `listener` is taken. *finished becomes true before the word for it is taken from the connection: where that is not
 * so, it is still there, and criu has not gone on, or nobody has said it. */
void lazy_socket_init(struct lazy_socket *lazy, int listener, bool *finished);
void lazy_socket_release(struct lazy_socket *lazy);

/* What may have something to read: the listener or the connection; -1 when criu has left. */
int lazy_socket_descriptor(const struct lazy_socket *lazy);

enum lazy_said {
	LAZY_NOTHING,  /* nothing more just now */
	LAZY_MEMORY,   /* *pid, and in *fd a userfaultfd that is now the caller's */
	LAZY_FINISHED, /* the restore is; all of its descriptors were said before */
	LAZY_LEFT,     /* the connection has ended */
};

/* Reads what is there, without waiting. Only root is listened to. Returns what was said; -1 when it is none
 * of these. */
int lazy_socket_next(struct lazy_socket *lazy, pid_t *pid, int *fd, struct error *err);

/* Closes the socket, a listener or a connection: whatever else criu says there fails, and with it the
 * restore. What it has handed over before, and nobody has read, stays open, and nobody knows its number. Has it also
 * said, and nobody has read, that the restore is finished? */
bool lazy_socket_refuse(int fd);

#endif
