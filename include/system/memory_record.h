/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the giving of memory to a restored container (system/memory_guard.h) goes, for other processes, also later
 * ones: a file to which lines of JSON are added, locked as long as somebody is at work.
 */
#ifndef SYSTEM_MEMORY_RECORD_H
#define SYSTEM_MEMORY_RECORD_H

#include "base/error.h"
#include "system/memory_fill.h"

enum memory_state {
	MEMORY_NONE,	 /* there is no record */
	MEMORY_WORKING,	 /* memory is still missing, or criu has not come yet */
	MEMORY_FILLED,	 /* all is there */
	MEMORY_GIVEN_UP, /* criu's restore came to nothing, and its processes have ended */
	MEMORY_FAILING,	 /* it will never be all there; processes may still be waiting for some */
	MEMORY_FAILED,	 /* the same, and they have ended */
};

struct memory_record {
	enum memory_state state;
	struct memory_filled filled; /* of MEMORY_FILLED */
	struct error reason;	     /* of FAILING and FAILED */
};

/* Makes and locks a record, for those who will be at work to inherit. Returns a descriptor, or -1. */
int memory_record_make(const char *path, struct error *err);

/* Adds what is so from now on, as far as that can be written. */
void memory_record_add(int fd, const struct memory_record *record);

/* What was said so far, for those who are at work themselves. */
void memory_record_look(int fd, struct memory_record *record);

/* What is so. When nobody is at work any more, and nobody has said how it ended, then it has failed. */
int memory_record_read(const char *path, struct memory_record *record, struct error *err);

#endif
