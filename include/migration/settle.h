/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the destination again after the connection was lost at a moment when its answer matters.
 */
#ifndef MIGRATION_SETTLE_H
#define MIGRATION_SETTLE_H

#include "base/error.h"
#include "migration/migration.h"

/*
 * Calls the destination again until a new agent has adopted what the old one was doing, for at most
 * --timeout. Then migration->destination works as before. Returns 1; 0 when there is nothing left to
 * adopt: the old agent has put everything back; -1 when the destination was not reached.
 */
int settle_reconnect(struct migration *migration, struct error *err);

/* The destination takes back what it did, through a lost connection too. */
int settle_roll_back(struct migration *migration, struct error *err);

#endif
