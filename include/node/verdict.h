/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the checks of a node found: a list of verdicts, the form in which it crosses the wire. One
 * check that passes has one verdict; one that finds several things has one for each.
 */
#ifndef NODE_VERDICT_H
#define NODE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#include "base/error.h"

enum verdict_state {
	VERDICT_GO,	      /* with a text: something the admin should know all the same */
	VERDICT_OFFLINE_ONLY, /* stops a live migration, and no other */
	VERDICT_NO,	      /* stops the migration */
	VERDICT_SKIPPED,      /* --nodeps, or it could not be made; the text says which */
};

struct verdict {
	const char *name; /* the check's, as --nodeps and the man page name it */
	enum verdict_state state;
	int exit_status; /* 0 unless it stops */
	char *text;	 /* a sentence with the remedy; "" when there is nothing to say */
};

/* Valid at `{ 0 }`; owns its items. `name` and `failing` are what new ones get. */
struct verdicts {
	struct verdict *items;
	size_t count;
	const char *name;
	enum verdict_state failing; /* what a refusal of the present check means */
};

void verdicts_release(struct verdicts *verdicts);

/* The present check finds something that stops the migration, or (remark) does not. */
void verdict_refuse(struct verdicts *verdicts, enum exit_status exit_status, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));
void verdict_remark(struct verdicts *verdicts, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for a failure that somebody else worded; `exit_status` where that one has none. */
void verdict_fail(struct verdicts *verdicts, const struct error *failure,
		  enum exit_status exit_status);

void verdict_add(struct verdicts *verdicts, enum verdict_state state, int exit_status,
		 const char *text);

bool verdict_stops(const struct verdict *verdict);

/* "go", "offline only", "no", "skipped" */
const char *verdict_state_name(enum verdict_state state);

json_object *verdicts_to_json(const struct verdicts *verdicts);

/* Checks every field: the text comes from the peer. */
int verdicts_from_json(struct verdicts *verdicts, json_object *list, struct error *err);

#endif
