/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps that move the container's memory while it still runs, and what is left of it during the stop.
 *
 * Where the container has little memory, or a node or the runtime cannot do it, memory is part of criu's
 * images instead (migration/copy.h), and these steps do nothing; one sentence says why.
 */
#ifndef MIGRATION_COPY_MEMORY_H
#define MIGRATION_COPY_MEMORY_H

#include "base/error.h"

struct image_traffic;
struct migration;

/* Both nodes are asked for what the memory needs there; decides how it goes. */
int copy_memory_prepare(struct migration *migration, struct error *err);

/* Rounds, as long as each makes the stop shorter. */
int copy_memory(struct migration *migration, struct error *err);

/* One more, as late as can be. */
int copy_memory_again(struct migration *migration, struct error *err);

/* The container is frozen: when this returns it is known what changed since the last round, and criu, which changes
 * more, may begin. What changed is on its way; with --lazy it is not yet. */
int copy_memory_frozen(struct migration *migration, struct error *err);

/* criu's dump is complete: returns when the destination has all memory that is not in its images or, with
 * --lazy, when it knows what of it will follow. */
int copy_memory_rest(struct migration *migration, struct error *err);

/* The container runs there: returns when it has the rest. Until then its processes stay here. */
int copy_memory_follow(struct migration *migration, struct error *err);

/* What has gone through a stream counts as memory; and -v says of `what` it was. */
void copy_memory_count(struct migration *migration, const char *what,
		       const struct image_traffic *traffic);

#endif
