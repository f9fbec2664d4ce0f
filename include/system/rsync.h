/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rsync(1), from here to the destination, over our one connection: its -e is this program in pipe
 * mode, which hands rsync's streams to the carrier (system/pipe.h).
 */
#ifndef SYSTEM_RSYNC_H
#define SYSTEM_RSYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/text.h"
#include "system/connection.h"
#include "system/rsync_output.h"

/* What a run of rsync is for. */
enum rsync_kind {
	RSYNC_ALL,	/* everything, and nothing else may be in the target */
	RSYNC_LISTED,	/* the paths of a list (system/path_list.h), the missing ones are deleted */
	RSYNC_COMPARED, /* the files of a list, whatever size and time say */
};

struct rsync_job {
	struct connection *connection;
	bool sudo;		   /* the remote rsync runs by `sudo -n` */
	const char *source;	   /* a directory; its content is copied */
	const char *target;	   /* the directory there that will have the same content */
	const char *except;	   /* "/PATH" below the source that is not copied; NULL: nothing */
	const struct words *extra; /* the admin's --rsync options */
	enum rsync_kind kind;
	bool changing; /* the source is in use: a file that vanishes or shrinks while it is
				    * read is no failure, since another pass will follow */
	uint64_t bandwidth_limit;  /* bytes a second; 0: none */
	struct progress *progress; /* told how far it is; NULL: nobody */
	int64_t *sent;		   /* gets what went over the connection added */
	bool *remains; /* set when a temporary file of rsync's may be left in the target, which only a pass
				    * over everything takes away; cleared by such a pass */
};

/* Returns 0 when the target is like the source; 1, only with `changing`, when rsync lost its way in what
 * changed: it must be run again. EXIT_COPY with rsync's own reason. */
int rsync_copy(const struct rsync_job *job, struct error *err);

/*
 * The same in parts, so that everything is ready when the list is: rsync runs, here and there, and
 * waits for it. Start from RSYNC_RUN_NONE. It stays where it is, and what the job points to must last.
 */
struct rsync_run {
	struct rsync_job job;
	struct process process;
	struct rsync_output output;
	int list;   /* where it reads its list */
	int errors; /* what it says on standard error */
};

#define RSYNC_RUN_NONE                                                                             \
	{                                                                                          \
		.process = PROCESS_NONE, .output = RSYNC_OUTPUT_NONE, .list = -1, .errors = -1     \
	}

int rsync_start(struct rsync_run *run, const struct rsync_job *job, struct error *err);

/* Is it started and not finished? */
bool rsync_is_ready(const struct rsync_run *run);

/* Gives it its list, paths that each end with a zero (NULL: it takes none, RSYNC_ALL), and waits for its
 * end. */
int rsync_finish(struct rsync_run *run, const struct text *list, struct error *err);

/* Ends it, where it has not ended. */
void rsync_release(struct rsync_run *run);

/* The first of the admin's options with which a list could have another meaning than a pass over
 * everything; NULL: none. */
const char *rsync_refuses_list(const struct words *extra);

#endif
