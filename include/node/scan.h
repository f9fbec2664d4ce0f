/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at a running container's processes for what criu will refuse, before anything is frozen: the
 * check "processes" in its parts. Each finding is one sentence that names a process, or a mount.
 */
#ifndef NODE_SCAN_H
#define NODE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"
#include "node/verdict.h"
#include "runtime/container.h"

/* An open file of which only the whole container tells whether it can move. */
struct scan_file {
	pid_t pid;
	int64_t number; /* a socket's inode; a terminal's index */
};

struct scan_files {
	struct scan_file *items;
	size_t count;
};
void scan_files_add(struct scan_files *files, pid_t pid, int64_t number);
bool scan_files_have(const struct scan_files *files, int64_t number);

struct scan {
	const struct container *container;
	struct verdicts *verdicts;
	pid_t *pids;
	size_t count;
	struct scan_files sockets;
	struct scan_files terminals; /* open ends of pseudo-terminals that programs use */
	struct scan_files masters;   /* and the ends of those who serve them */
	struct words namespaces;     /* mount namespaces that were looked at */
};

/* "process 12 ('name', unit name.service) of container '101' " and the rest. */
void scan_refuse(struct scan *scan, pid_t pid, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Its open files, into the lists too. */
void scan_descriptors(struct scan *scan, pid_t pid);

/* What is mapped into its memory. */
void scan_mappings(struct scan *scan, pid_t pid);

/* What is mounted in its mount namespace. */
void scan_mounts(struct scan *scan, pid_t pid);

/* After all processes: sockets and terminals whose other end is outside. */
void scan_sockets(struct scan *scan);
void scan_terminals(struct scan *scan);

#endif
