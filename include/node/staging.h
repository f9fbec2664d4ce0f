/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the copied files lie on the destination until the switch, and how they get into place.
 *
 * An area is one directory that moves: `source` on the source, `staging` on the destination beside
 * its `final` name and on the same file system, so that it is in place by one rename. A container
 * has one area (its directory, private area inside) or two.
 */
#ifndef NODE_STAGING_H
#define NODE_STAGING_H

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"
#include "system/quota.h"

#define AREAS_MAX 2

struct area {
	char *source;
	char *staging;
	char *final;
	char *except; /* below the source: what is another area's; NULL: nothing. Not on the wire. */
};

struct areas {
	struct area items[AREAS_MAX];
	size_t count;
};

/* Works out the areas of a container that moves from `from` to `to`. */
void areas_plan(struct areas *areas, const struct container *from, const struct container *to);
void areas_release(struct areas *areas);

json_object *areas_to_json(const struct areas *areas);
int areas_from_json(struct areas *areas, json_object *list, struct error *err);

/* EXIT_EXISTS when a final name, or a staging name that no earlier attempt left, is taken. */
int staging_check(struct host *host, const struct areas *areas, struct error *err);

/* Makes the staging directories (and missing parents), that of the private area with the limit, if it
 * has one (EXIT_QUOTA). */
int staging_make(struct host *host, const struct areas *areas, const struct quota *quota,
		 struct error *err);

/* Renames them into place; never over anything. Makes the directory of the container's root. */
int staging_place(struct host *host, const struct areas *areas, struct error *err);

/* On the destination: what was copied so far, as its journal knows it, is on the disk. Before the freeze, so that
 * little is left for after it. */
int staging_sync(struct host *host, struct error *err);

/*
 * The same of what is in place: begun, so that a restore goes on meanwhile, and waited for before the
 * container may become the destination's.
 */
int staging_sync_begin(struct host *host, struct areas *areas, struct error *err);
int staging_sync_end(struct host *host, struct error *err);

/* Once more, because something was put there after it began. */
int staging_sync_again(struct host *host, struct error *err);

#endif
