/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container will be on the destination.
 */
#ifndef MIGRATION_PLAN_H
#define MIGRATION_PLAN_H

#include "migration/migration.h"
#include "runtime/container.h"

/*
 * The container in `directory`, the place that its runtime has for it on the destination, as the request
 * has it. Without a word
 * about it, a private area inside the container's directory stays inside it, and one elsewhere keeps
 * its path. With a new id, what names the old one names the new one: the private area, the root, the
 * host name, the node's ends of its devices; the MACs stay. It will be stopped: no pid, no state.
 */
int plan_target(struct container *target, const struct container *container,
		const struct migration_request *request, const char *directory, struct error *err);

/* A name for one migration that no other has. The caller frees. */
char *plan_name(const char *id);

#endif
