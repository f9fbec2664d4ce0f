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
#include "base/progress.h"
#include "base/text.h"
#include "system/connection.h"

struct rsync_job {
	struct connection *connection;
	bool sudo;		   /* the remote rsync runs by `sudo -n` */
	const char *source;	   /* a directory; its content is copied */
	const char *target;	   /* the directory there that will have the same content */
	const char *except;	   /* "/PATH" below the source that is not copied; NULL: nothing */
	const struct words *extra; /* the admin's --rsync options */
	bool changing; /* the source is in use: a file that vanishes or shrinks while it is
				    * read is no failure, since another pass will follow */
	bool images;   /* criu's images, new and on tmpfs: no deltas, no deletions */
	uint64_t bandwidth_limit;  /* bytes a second; 0: none */
	struct progress *progress; /* told how far it is; NULL: nobody */
	int64_t *sent;		   /* gets what went over the connection added */
};

/* Returns when the target is like the source. EXIT_COPY with rsync's own reason. */
int rsync_copy(const struct rsync_job *job, struct error *err);

#endif
