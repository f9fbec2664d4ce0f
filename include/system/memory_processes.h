/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of a container whose memory is sent, from round to round: those of its cgroup that are in the
 * pid namespace of its first process. Each is followed as long as it is the same one (pid and start time).
 */
#ifndef SYSTEM_MEMORY_PROCESSES_H
#define SYSTEM_MEMORY_PROCESSES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "system/memory_track.h"
#include "system/sent_pages.h"

struct memory_process {
	pid_t pid;
	pid_t inside;	     /* its pid in the container: criu's name for it */
	uint64_t start_time; /* of the kernel's ticks */
	int64_t scanned_at;  /* wait_clock() */
	struct memory_track track;
	struct sent_pages sent;
};

struct memory_processes {
	pid_t init;
	enum track_method method;
	char *cgroup;
	int depth;		      /* of the container's pid namespace, seen from here */
	char namespace[64];	      /* ... and its name */
	struct memory_process *items; /* by pid */
	size_t count;
	pid_t *gone; /* pids inside of those that have ended and had something, for the caller to take */
	size_t gone_count;
};

/* Of the container that this is the first process of. `{ 0 }` before. */
int memory_processes_open(struct memory_processes *processes, pid_t init, enum track_method method,
			  struct error *err);

/* Who is there now. */
int memory_processes_update(struct memory_processes *processes, struct error *err);

/* NULL: none. */
struct memory_process *memory_processes_find(const struct memory_processes *processes,
					     pid_t inside);

void memory_processes_release(struct memory_processes *processes);

#endif
