/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: what one node has done for one migration of one container, so that whoever comes
 * after a crash knows what is true. /var/lib/vzmigrate/ID.journal, one JSON object a line, each
 * written and synced before the act it announces.
 *
 *	{"record":"migration", …}							the header, see below
 *	{"record":"undo", "number":N, "action":NAME, "scope":N, "arguments":{…}}	an act is about to be done
 *	{"record":"undone", "number":N}						it was taken back
 *	{"record":"state", "state":NAME}						see node/protocol.h
 *
 * The header has all that a recovery needs to know: "migration": a name that no other has; "role":
 * "source"|"destination"; "mode": what it ends with, "resume"|"start"|"leave"; "container": as it is or shall
 * be on this node; "areas" (node/staging.h); "remove": the source's container goes afterwards; "keep":
 * --keep-dst; "origin": node/facts.h; "boot": which boot of this node it is; and how to reach the other node: "peer": [user@]host[:port],
 * "peer-container": its id there, "ssh": options for ssh(1).
 *
 * A line that a crash cut short is no record: it announced an act that was not begun.
 */
#ifndef NODE_JOURNAL_H
#define NODE_JOURNAL_H

#include <stdbool.h>

#include <json-c/json.h>

#include "base/error.h"
#include "base/text.h"
#include "node/protocol.h"

#define JOURNAL_DIRECTORY "/var/lib/vzmigrate"

struct journal {
	int fd; /* -1: closed */
	char *path;
	json_object *records; /* all of them, in order */
	enum journal_state state;
};

#define JOURNAL_NONE                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Where the journal of a container is. The caller frees. */
char *journal_path(const char *id);

/* Starts a new one; fails when there is one. `header` (borrowed) gets its "record". */
int journal_create(struct journal *journal, const char *id, json_object *header, struct error *err);

/* Reads what is there, for somebody who only looks while its owner may be writing. Returns 1; 0 when there
 * is none. */
int journal_read(struct journal *journal, const char *id, struct error *err);

/* Reads what is there and opens it for going on. Returns 1; 0 when there is none. */
int journal_load(struct journal *journal, const char *id, struct error *err);

/* Takes the record (the reference), writes it and syncs. */
int journal_append(struct journal *journal, json_object *record, struct error *err);

int journal_set_state(struct journal *journal, enum journal_state state, struct error *err);

/* The first record: who and what. Borrowed; NULL when there is no journal. */
json_object *journal_header(const struct journal *journal);

/* Appends the ids of all containers that have a journal on this node. */
int journal_list(struct words *ids, struct error *err);

/* The migration is over: the file goes. */
int journal_remove(struct journal *journal, struct error *err);
void journal_release(struct journal *journal);

const char *journal_state_name(enum journal_state state);

#endif
