/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an earlier process left on this node: a journal, and perhaps a frozen or held container with a
 * hook that waits. All of this wants the container's lock, so whoever left it has ended.
 */
#ifndef NODE_ADOPT_H
#define NODE_ADOPT_H

#include <stdbool.h>

#include "base/error.h"
#include "node/host.h"

/*
 * Before a new migration: an earlier one that had not come to the switch is taken back, so is what is
 * held of the migration `given_up` (or NULL), of which the source knows that it was never committed.
 * EXIT_LOCKED where one was interrupted at the switch. *name (or NULL) gets the name of the
 * migration that was taken back, NULL where there was none; the caller frees.
 */
int adopt_settle(struct host *host, const char *id, const char *given_up, char **name,
		 struct error *err);

/*
 * Goes on with the migration of this name (NULL: whichever) that another process began and did not
 * end. Where it had not come to the switch everything is taken back at once, and the journal goes
 * with it unless `keep_journal`. Otherwise the container is this host's again: frozen or held, with
 * its hook listening to us. host->journal.state says what was found, JOURNAL_ABSENT when there is
 * nothing of that migration.
 */
int adopt_migration(struct host *host, const char *id, const char *name, bool keep_journal,
		    struct error *err);

/* Learns what --keep-dst left here at an earlier attempt to move the same container: the one of this
 * origin (node/facts.h). */
int adopt_find_kept(struct host *host, const char *id, const char *origin, struct error *err);

#endif
