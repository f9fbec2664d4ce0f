/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The step "check": both nodes judge whether the migration can be, everything is said, and the first
 * verdict that stops it is its failure.
 */
#ifndef MIGRATION_CHECKS_H
#define MIGRATION_CHECKS_H

#include "base/error.h"
#include "migration/migration.h"

/*
 * Works out the target and the areas, takes the destination's lock, and has both nodes make their
 * checks. With --dry-run no lock is taken, and every verdict is said.
 */
int checks_make(struct migration *migration, struct error *err);

#endif
