/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a container has memory that criu writes into its own images. It is
 *
 *	shared memory objects (mmap of MAP_SHARED | MAP_ANONYMOUS, memfds, System V): each once, whoever has it
 *	private memory that is locked (mlock): of each process its own
 *
 * Not what is on a tmpfs of the container's, huge pages of hugetlbfs, nor a System V segment that nobody has attached.
 * A container may do anything to it at any moment: what cannot be read is criu's to send.
 */
#ifndef SYSTEM_CONTENT_SOURCES_H
#define SYSTEM_CONTENT_SOURCES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/table.h"
#include "system/memory_processes.h"
#include "system/page_scan.h"

enum content_kind {
	CONTENT_OBJECT = 1, /* anonymous, or a memfd; by its inode */
	CONTENT_SEGMENT,    /* of System V; by its id, which it has for an inode */
	CONTENT_LOCKED,	    /* private memory; by the process's pid inside */
};

struct content_identity {
	uint64_t kind;
	uint64_t number;
};

struct content_source {
	struct content_identity identity;
	const struct memory_process *process; /* one that has it */
	/* It is mapped there from `start` to `end`; both 0: it is only open, as `descriptor`. */
	uint64_t start;
	uint64_t end;
	int descriptor;
};

struct content_sources {
	uint64_t device;    /* that all shared memory objects are on */
	struct table known; /* by identity */
	struct content_source *items;
	size_t count;
};

/* All that there are now; valid until the processes are looked at again. `{ 0 }` before. */
int content_sources_find(struct content_sources *sources, const struct memory_processes *processes,
			 struct error *err);
void content_sources_release(struct content_sources *sources);

/* To be read at the offsets that content_source_visit() tells; -1: it is not there any more. */
int content_source_open(const struct content_sources *sources, const struct content_source *source);

/* Visits the pages that there are, in order, as PAGE_WRITTEN. Those that are not are zero. */
void content_source_visit(const struct content_source *source, int fd, page_visitor *visit,
			  void *data);

#endif
