/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preconditions of a migration on one node, found out without changing anything: a table of checks,
 * each a function with a name; and the one act that can only be checked by doing it: the start.
 *
 * The checks of the source run first, and what they learn (node/facts.h) goes to the destination's.
 * All of them run, whatever the others find.
 */
#ifndef NODE_CHECK_H
#define NODE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "node/facts.h"
#include "node/host.h"
#include "node/staging.h"
#include "node/verdict.h"
#include "runtime/runtime.h"

/* The other containers of this node: read once, for every check that compares with them. */
struct check_others {
	bool known; /* it was tried */
	struct container *items;
	size_t count;
};
void check_others_release(struct check_others *others);

/* What the checks of one node look at. */
struct check_subject {
	struct host *host; /* its container: as it is (source) or shall be (destination) */
	const struct container *from; /* the same as it is on the source */
	const struct areas *areas;    /* destination only */
	struct facts *facts;	      /* source: filled; destination: read */
	struct check_others *others;  /* destination only */
	int64_t arrived_ms;	      /* destination: its time of day when the facts came */
	bool destination;
	bool online;
	bool starts;	      /* the container will run there */
	bool iterations_only; /* --require-realtime */
};

/* When a check is made; what it finds then stops the migration. */
enum check_use {
	CHECK_ALWAYS,
	CHECK_START,  /* the container will run on the destination */
	CHECK_ONLINE, /* it moves live: what it finds leaves the other ways open */
};

enum check_side {
	CHECK_SOURCE = 1 << 0,
	CHECK_DESTINATION = 1 << 1,
	CHECK_BOTH = CHECK_SOURCE | CHECK_DESTINATION,
};

struct check {
	const char *name;
	const char *group; /* another name by which --nodeps skips it, or NULL */
	unsigned int sides;
	enum check_use use;
	bool safety;	     /* never skipped */
	bool starts;	     /* skipped, it leaves open whether the container could start */
	bool wants_programs; /* asks them: not made where "programs" found one missing */
	void (*run)(const struct check_subject *subject, struct verdicts *verdicts);
};

/* Makes every check of this node. `skipped` are the words of --nodeps. */
void checks_run(const struct check_subject *subject, const struct words *skipped,
		struct verdicts *verdicts);

/* The table's own copy of the name, which lives for ever; NULL when there is no such check. */
const char *check_name(const char *name);

/* Is it a safety check, which is never skipped? */
bool check_is_safety(const char *name);

/* Is it a word for --nodeps: "all", a check's name or group, or one that only other runtimes know? */
bool check_is_selector(const char *word);

/* Do these words skip a check without which nobody knows whether the container can start? */
bool checks_leave_stopped(const struct words *skipped);

/* The operation "survey": where would `container` live here under `id`? {"runtime", "container", "id"} ->
 * {"directory"} */
int check_survey(struct host *host, json_object *arguments, json_object **result,
		 struct error *err);

/* The operation "check": {"online", "starts", "iterations_only", "skipped"} and, on the destination, {"target", "from",
 * "areas", "facts"} -> {"verdicts"} and, on the source, {"facts"}. */
int check_operation(struct host *host, json_object *arguments, json_object **result,
		    struct error *err);

/* Is it stopped? Returns 0; 1 when it is not. */
int check_stopped(struct host *host, struct error *err);

/* What ran, and has ended by whatever, runs again; `why` follows the container's name in the warning. */
int check_start_if_ended(struct host *host, const char *why, struct error *err);

/* Starts the container that has arrived. Returns 1; 0 when it does not run here for certain. */
int check_start(struct host *host, struct error *err);

/* Reads the other containers of the node at the first call. One that cannot be described is left out. */
const struct check_others *check_others(const struct check_subject *subject);

/* Source: measures the container's files, for the checks that want it; once. */
void check_measure(const struct check_subject *subject, struct verdicts *verdicts);

/* The nearest directory above a path that is there. The caller frees. */
char *check_standing_parent(const char *path);

/* The checks. */
void check_programs(const struct check_subject *subject, struct verdicts *verdicts);
void check_locked(const struct check_subject *subject, struct verdicts *verdicts);
void check_exists(const struct check_subject *subject, struct verdicts *verdicts);
void check_hostname(const struct check_subject *subject, struct verdicts *verdicts);
void check_private_area(const struct check_subject *subject, struct verdicts *verdicts);
void check_configuration(const struct check_subject *subject, struct verdicts *verdicts);
void check_mounts(const struct check_subject *subject, struct verdicts *verdicts);
void check_idmap(const struct check_subject *subject, struct verdicts *verdicts);
void check_ip_address(const struct check_subject *subject, struct verdicts *verdicts);
void check_bridge(const struct check_subject *subject, struct verdicts *verdicts);
void check_disk_space(const struct check_subject *subject, struct verdicts *verdicts);
void check_filesystem(const struct check_subject *subject, struct verdicts *verdicts);
void check_quota(const struct check_subject *subject, struct verdicts *verdicts);
void check_memory(const struct check_subject *subject, struct verdicts *verdicts);
void check_clock(const struct check_subject *subject, struct verdicts *verdicts);
void check_architecture(const struct check_subject *subject, struct verdicts *verdicts);
void check_cpu(const struct check_subject *subject, struct verdicts *verdicts);
void check_criu(const struct check_subject *subject, struct verdicts *verdicts);
void check_cgroup(const struct check_subject *subject, struct verdicts *verdicts);
void check_lsm(const struct check_subject *subject, struct verdicts *verdicts);
void check_checkpoint(const struct check_subject *subject, struct verdicts *verdicts);
void check_processes(const struct check_subject *subject, struct verdicts *verdicts);

#endif
