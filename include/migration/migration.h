/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One migration of one container: what was asked for, what is known, how far it is.
 */
#ifndef MIGRATION_MIGRATION_H
#define MIGRATION_MIGRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "migration/copy.h"
#include "migration/session.h"
#include "node/facts.h"
#include "node/host.h"
#include "node/node.h"
#include "node/staging.h"
#include "system/ssh_options.h"

/* What the admin asked for; borrowed by every migration of the run. */
struct migration_options {
	struct destination destination;
	struct ssh_options ssh;
	struct words rsync;  /* added to rsync's options */
	const char *runtime; /* NULL: whichever knows the container */
	bool online;
	bool lazy; /* the four that say how memory moves: SPEC.md's migration types */
	bool no_iterations;
	bool require_realtime;
	int64_t max_downtime_ms; /* 0: none asked for */
	bool throttle;		 /* slow it down where the iterations gain nothing */
	bool remove_area;
	bool keep_destination;
	bool no_start;	      /* what ran is not started there */
	bool read_only;	      /* copy only: the source stays as it is, the copy is left stopped */
	bool check_only;      /* make every check, change nothing */
	struct words skipped; /* names of checks that are not made; "all" */
	uint64_t bandwidth_limit; /* bytes a second before the container is stopped; 0: none */
	int timeout_seconds;
	int turns; /* of the migrations that run at once (base/turn.h); 0: there is only this one */
};

/* One word of the command line: CTID[:newCTID[:private[:root]]]; NULL: as on the source. */
struct migration_request {
	char *id;
	char *new_id;
	char *private_area;
	char *root;
};

/* How a step went, for --times. */
struct step_time {
	const char *name;
	int64_t milliseconds;
};

/* What went over the connection, in bytes. */
enum traffic {
	TRAFFIC_FILES,	 /* before the container was stopped */
	TRAFFIC_CHANGES, /* files again, while it was */
	TRAFFIC_MEMORY,
	TRAFFIC_KINDS,
};
extern const char *const traffic_names[]; /* "files", "changes", "memory" */

#define STEPS_MAX 32

struct migration {
	const struct migration_options *options;
	const struct migration_request *request;
	struct session *session;
	const char *id; /* the request's */

	struct host host;	    /* this node */
	struct node source;	    /* the same, as a node */
	struct node *destination;   /* session's; NULL before it is there */
	struct container container; /* as it was found here */
	struct container target;    /* as it shall be there */
	struct facts facts;	    /* what the checks found out about it here */
	struct areas areas;
	char *images; /* on the destination */
	char *store;  /* and where memory goes there that is not in them; NULL: all is in them */
	json_object *early;  /* node/early_images.h's; NULL when none can go ahead */
	json_object *dumped; /* {"images": node/manifest.h's}; NULL before the dump */
	char *name;	     /* the migration's own; NULL before it has begun */
	char *given_up;	     /* that of an earlier one which the lock took back, or NULL */
	struct copy copy;

	bool begun_there; /* the destination may have a journal */
	bool placed;	  /* the copy is in its place there */
	bool fenced;	  /* nobody can start the original any more */
	bool committed;	  /* the destination owns the container */
	bool unfinished;  /* a step after the switch failed: nothing is removed here */

	struct step_time times[STEPS_MAX];
	size_t step_count;
	int64_t stop_began; /* wait_clock(); 0: the container was never stopped */
	int64_t stopped_ms;
	int64_t total_ms;
	int64_t sent[TRAFFIC_KINDS];
	int64_t memory_uncompressed; /* what TRAFFIC_MEMORY would be if nothing were compressed */
};

#define MIGRATION_NONE                                                                             \
	{                                                                                          \
		.host = HOST_NONE, .copy = COPY_NONE                                               \
	}

/*
 * Moves the container. 0: it is on the destination. -1: it is here as it was, with the reason and
 * the exit status in *err; or, with EXIT_UNRESOLVED, nobody knows.
 */
int migration_run(struct migration *migration, const struct migration_options *options,
		  struct session *session, const struct migration_request *request,
		  struct error *err);
void migration_release(struct migration *migration);

/* {"areas"}: the arguments of many operations. The caller owns them. */
json_object *migration_areas(const struct migration *migration);

#endif
