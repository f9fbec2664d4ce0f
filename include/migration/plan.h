/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container will be on the destination.
 */
#ifndef MIGRATION_PLAN_H
#define MIGRATION_PLAN_H

#include "runtime/container.h"

/*
 * The container below the destination's home of its runtime. A private area inside the container's
 * directory stays inside it; one elsewhere keeps its path. It will be stopped: no pid, no state.
 */
void plan_target(struct container *target, const struct container *container, const char *id,
		 const char *home);

/* A name for one migration that no other has. The caller frees. */
char *plan_name(const char *id);

#endif
