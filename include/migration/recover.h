/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settling a migration that was interrupted, from what the two nodes' journals say. It works on either
 * node, as often as one likes; what it does is node/protocol.h's decision.
 */
#ifndef MIGRATION_RECOVER_H
#define MIGRATION_RECOVER_H

#include <stdbool.h>

#include "base/error.h"
#include "system/ssh_options.h"

struct recover_options {
	const struct ssh_options *ssh; /* added to what the journal has; may be empty */
	int timeout_seconds;
	bool abort; /* only take back; also what --keep-dst has kept */
};

/*
 * Settles what is left of the container's migration here and on its peer, and says what was found and
 * done. 0: nothing is left to settle. -1: EXIT_LOCKED (somebody is at it), EXIT_CONNECT (the container
 * is where it belongs, but the peer could not be asked to clean up), EXIT_UNRESOLVED (it depends on
 * the peer, which could not be asked: nothing was changed), or what failed.
 */
int recover_container(const struct recover_options *options, const char *id, struct error *err);

#endif
