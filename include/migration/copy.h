/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps that move bytes: files by rsync, images by a stream of their own.
 *
 * The first pass sends everything. From before it on the source records what changes (node/watch.h), and
 * the passes after it send only that; where the record is not complete they look at everything.
 */
#ifndef MIGRATION_COPY_H
#define MIGRATION_COPY_H

#include <stdint.h>

#include "base/error.h"
#include "base/progress.h"
#include "migration/forecast.h"
#include "node/staging.h"
#include "system/image_stream.h"
#include "system/memory_stream.h"
#include "system/rsync.h"

struct migration;

/* What the steps keep from one to the next. Start from COPY_NONE. */
struct copy {
	int64_t last_pass; /* when the pass before ended: nanoseconds of the real-time clock */
	bool again;	   /* the lists of the pass before were not sent completely */
	bool last;	   /* what is copied from now on is copied during the stop */
	struct progress progress;
	bool everything;	 /* the last pass must look at every file */
	bool remains[AREAS_MAX]; /* include/system/rsync.h */
	bool late;		 /* something was sent after the copy was put into its place */
	/* Started while the container still runs, waiting for what to send: */
	struct rsync_run listed[AREAS_MAX];
	struct rsync_run compared[AREAS_MAX];
	struct image_stream images;
	bool apart;	/* private memory goes its own way (migration/copy_memory.h) */
	bool in_rounds; /* and is copied while the container runs */
	bool follows;	/* and what is left of it comes after the switch: --lazy */
	struct forecast forecast;
	int64_t round_began; /* wait_clock() of the last round of memory */
	struct memory_stream memory;
	struct content_index
		index; /* what rounds have sent of the memory that is in criu's images */
};

#define COPY_NONE                                                                                  \
	{                                                                                          \
		.listed = { RSYNC_RUN_NONE, RSYNC_RUN_NONE },                                      \
		.compared = { RSYNC_RUN_NONE, RSYNC_RUN_NONE }, .images = IMAGE_STREAM_NONE,       \
		.memory = MEMORY_STREAM_NONE,                                                      \
	}

/* Will nothing but the private area be touched after the last pass? Then the copy may be put into its place
 * before. */
bool copy_late_is_apart(const struct migration *migration);

/* From here on it is recorded which files change. */
int copy_watch(struct migration *migration, struct error *err);

/* First pass: everything, while a running container may change it. */
int copy_files(struct migration *migration, struct error *err);

/* What changed during that, while it still runs; then what the last pass needs is made ready. */
int copy_again(struct migration *migration, struct error *err);

/* Last pass: what changed since, now that nothing runs. */
int copy_last(struct migration *migration, struct error *err);

/* What the dump itself made in the container's files, or everything where it is not known what changed;
 * and criu's images, which have been leaving our tmpfs for theirs since they are written. */
int copy_images(struct migration *migration, struct error *err);

void copy_release(struct copy *copy);

#endif
