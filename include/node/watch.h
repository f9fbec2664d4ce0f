/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changed in a container's files since the copying began, so that the last pass sends only that.
 * The record is kept in this process, on the source.
 */
#ifndef NODE_WATCH_H
#define NODE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/* Begins to record the changes of the sources of {"areas"}. Where that is not possible everything will be
 * looked at: no failure, only the reason at -v. */
int watch_begin(struct host *host, json_object *arguments, struct error *err);

/*
 * Writes what changed since the call before to watch_list_path()'s files, and begins anew:
 *
 *	"last_pass"	when the copying before ended: nanoseconds of the real-time clock
 *	"open"		what the frozen container's processes could be writing to counts as changed
 *	"again"		what was on the lists of the last time is on these, too
 *	"only_made"	during the dump: what is there, in the private area, that was not; no directory's
 *			time is changed
 *
 * *answer is {"complete"}, the caller's: false when not all changes are known; then the lists name only files
 * whose content must be compared although size and time are the same.
 */
int watch_collect(struct host *host, json_object *arguments, json_object **answer,
		  struct error *err);

/* The list of an area, as rsync reads it: what changed, or what of it must be compared. The caller
 * frees. */
char *watch_list_path(const struct host *host, size_t area, bool compared);

/* Ends the recording. */
void watch_end(struct host *host);

#endif
