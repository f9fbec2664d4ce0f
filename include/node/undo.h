/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Undo: before each act on a node its inverse is written to the journal; taking back is running
 * those inverses, newest first. Each tolerates an act that was half done, or never begun, or taken
 * back already, so the same code serves a failure and the time after a crash.
 */
#ifndef NODE_UNDO_H
#define NODE_UNDO_H

#include <json-c/json.h>

#include "base/error.h"
#include "node/host.h"

/* Until when the act matters. */
enum undo_scope {
	UNDO_FAILURE,	/* taken back when the migration fails */
	UNDO_STAGING,	/* the same, but stays with --keep-dst */
	UNDO_TEMPORARY, /* taken back in any case */
};

/* The acts that can be taken back (src/node/undo.c, the table). */
extern const char undo_remove_directory[]; /* {"path"}: an empty directory we made */
extern const char undo_remove_tree[];	   /* {"path"}: a tree we made */
extern const char undo_remove_limited[];   /* {"path"}: a tree we made, with its disk quota */
extern const char undo_rename[];	   /* {"from", "to"}: it was renamed from `to` to `from` */
extern const char undo_unmount[];	   /* {"path"} */
extern const char undo_remove_link[];	   /* {"name"}: a network device we made */
extern const char undo_remove_namespace[]; /* {"path"}: a network namespace we made */
extern const char undo_disarm[];   /* {}: criu, which waits for the container to be frozen */
extern const char undo_resume[];   /* {"freezer"}: the dump held in post-dump */
extern const char undo_unpause[];  /* {"freezer"}: it was frozen for a while */
extern const char undo_throttle[]; /* {"cgroup", "limit"}: of CPU time, as it was */
extern const char undo_fill[];	   /* {"work"}: memory is being filled in */
extern const char undo_drop[];	   /* {}: the restore that is under way */
extern const char undo_kill[];	   /* {"freezer"}: the restore held in post-restore */
extern const char undo_start[];	   /* {}: the container was stopped */
extern const char undo_unfence[];  /* {} */

/* Announces an act; takes the reference to arguments. */
int undo_push(struct host *host, enum undo_scope scope, const char *action, json_object *arguments,
	      struct error *err);

/* The same for the commonest arguments. */
int undo_push_path(struct host *host, enum undo_scope scope, const char *action, const char *path,
		   struct error *err);

/* The last announced act turned out not to be ours to take back. */
int undo_forget_last(struct host *host, struct error *err);

/* The arguments of the last announced act of this name, or NULL. Borrowed. */
json_object *undo_find(const struct journal *journal, const char *action);

/* Runs the pending ones of these scopes (bits 1 << scope), newest first. */
int undo_run(struct host *host, unsigned int scopes, struct error *err);

#endif
