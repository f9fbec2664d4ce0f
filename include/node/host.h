/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one node knows and holds while it takes part in the migration of one container. The source
 * has one in its own process, the agent on the destination has one in its.
 */
#ifndef NODE_HOST_H
#define NODE_HOST_H

#include <stdbool.h>

#include <json-c/json.h>

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "node/journal.h"
#include "runtime/runtime.h"

#define RUN_DIRECTORY "/run/vzmigrate"
#define LOCK_DIRECTORY "/run/lock/vzmigrate"
#define LOG_DIRECTORY "/var/log/vzmigrate"

struct host {
	const struct runtime *runtime;
	struct container container; /* as it is (source) or shall be (destination) on this node */
	int lock;		    /* the lock file, locked; -1: not */
	struct journal journal;
	bool keep;	     /* --keep-dst: copied files stay after a failure */
	struct words kept;   /* staging directories that an earlier attempt left here */
	char *run_directory; /* RUN_DIRECTORY/ID, NULL before `begin` */
	char *images;	     /* tmpfs for criu's images, NULL when there is none */
	char *memory;	     /* another, for memory that is not in the images; destination */
	int hook_listener;   /* where criu's action scripts report; -1 */
	int hook;	     /* the script that waits for our answer; -1 */
	int frames;	     /* kept while the container stands still (node/frames.h); -1 */
	bool armed;	     /* all that can be before the images are there is done; destination */
	pid_t init_pid;	     /* of the tree that the hook reported, 0 before */
	struct process checkpoint; /* the dump or restore that is under way */
	bool nftables;		   /* criu shall lock the network by it, source */
	struct process sync;	   /* of the files in place, under way; destination */
	char *freezer;		   /* cgroup directory of the frozen container, source */
	struct watch *watch;	   /* of the container's files, source (node/watch.h) */
};

#define HOST_NONE                                                                                  \
	{                                                                                          \
		.lock = -1, .journal = JOURNAL_NONE, .hook_listener = -1, .hook = -1,              \
		.frames = -1, .checkpoint = PROCESS_NONE, .sync = PROCESS_NONE,                    \
	}

/* RUN_DIRECTORY/ID, with the id's key (container_key()). The caller frees. */
char *host_run_directory(const char *id);

/* Closes and frees; what is under way on the node goes on, the journal stays. */
void host_release(struct host *host);

/*
 * One operation per container and node: locks LOCK_DIRECTORY/ID.lock. The lock lives with the
 * process, so there are no stale ones, and goes with it. EXIT_LOCKED with the holder's pid when it is taken. A second call
 * has it already.
 */
int host_lock(struct host *host, const char *id, struct error *err);

/* Starts the journal and the run directory. Wants the lock, and what was left settled
 * (node/adopt.h). */
int host_begin(struct host *host, json_object *header, struct error *err);

/* Is it the destination's part in the migration that the journal is of? */
bool host_is_destination(const struct host *host);

/* Takes back everything that was done on this node, newest first; --keep-dst's files stay. Goes on after
 * a failure, reports the first. */
int host_undo(struct host *host, struct error *err);

/* After the undo: the journal goes, or says what was kept. */
int host_close_journal(struct host *host, struct error *err);

/* Both. */
int host_rollback(struct host *host, struct error *err);

/* The migration succeeded: what was only temporary goes, then the journal. */
int host_finish(struct host *host, struct error *err);

#endif
