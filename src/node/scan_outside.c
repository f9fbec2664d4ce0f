// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what of a container is connected with the outside: sockets, terminals. */
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "node/scan.h"
#include "system/proc.h"
#include "system/unix_sockets.h"

#define PTS_MAJOR 136

static pid_t owner_of(const struct scan_files *files, int64_t number)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->items[i].number == number)
			return files->items[i].pid;
	return 0;
}

void scan_sockets(struct scan *scan)
{
	CLEANUP(unix_sockets_release) struct unix_sockets sockets = { 0 };
	struct error failure;

	if (unix_sockets_read(scan->container->init_pid, &sockets, &failure) < 0) {
		log_debug("unix sockets are not checked: %s", failure.text);
		return;
	}
	for (size_t i = 0; i < sockets.count; i++) {
		const struct unix_socket *socket = &sockets.items[i];
		pid_t pid = owner_of(&scan->sockets, socket->inode);
		CLEANUP(memory_release) char *path = NULL;

		if (pid == 0 || socket->peer == 0 || scan_files_have(&scan->sockets, socket->peer))
			continue;
		path = unix_socket_path(scan->container->init_pid, socket->peer);
		scan_refuse(scan, pid,
			    "is connected to %s%.200s%s of this node: end that connection, or "
			    "migrate without --online",
			    path != NULL ? "the socket '" : "a process", path != NULL ? path : "",
			    path != NULL ? "'" : "");
	}
}

/* The number of a pseudo-terminal as stat(2)'s device numbers have it; -1: another kind. */
static int64_t index_of(int device)
{
	int number = device >> 8 & 0xfff;
	int minor = (device & 0xff) | (device >> 12 & 0xfff00);

	return number >= PTS_MAJOR && number < PTS_MAJOR + 8
		       ? (int64_t)(number - PTS_MAJOR) * 256 + minor
		       : -1;
}

static bool uses_open_terminal(const struct scan *scan, pid_t pid)
{
	for (size_t i = 0; i < scan->terminals.count; i++)
		if (scan->terminals.items[i].pid == pid &&
		    !scan_files_have(&scan->masters, scan->terminals.items[i].number))
			return true;
	return false;
}

/* A terminal works as long as somebody serves its other end, and that one must move too. */
void scan_terminals(struct scan *scan)
{
	for (size_t i = 0; i < scan->count; i++) {
		pid_t pid = scan->pids[i];
		int terminal = proc_terminal(pid);
		bool controlled =
			terminal != 0 && !scan_files_have(&scan->masters, index_of(terminal));

		if (controlled || uses_open_terminal(scan, pid))
			scan_refuse(scan, pid,
				    "was started with a terminal of this node, which criu cannot "
				    "dump: start it detached, with /dev/null for its terminal, or "
				    "migrate without --online");
	}
}
