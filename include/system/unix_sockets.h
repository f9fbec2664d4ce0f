/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which unix sockets of a network namespace are connected with which.
 */
#ifndef SYSTEM_UNIX_SOCKETS_H
#define SYSTEM_UNIX_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct unix_socket {
	uint32_t inode;
	uint32_t peer; /* inode; 0: not connected */
};

/* Valid at `{ 0 }`; owns its items. */
struct unix_sockets {
	struct unix_socket *items;
	size_t count;
};

void unix_sockets_release(struct unix_sockets *sockets);

/* Those of the network namespace of a process. */
int unix_sockets_read(pid_t pid, struct unix_sockets *sockets, struct error *err);

/* The path of the socket, which is known in the network namespace of this process or of that one; NULL
 * when it has none. The caller frees. */
char *unix_socket_path(pid_t pid, uint32_t inode);

#endif
