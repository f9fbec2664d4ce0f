/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The migration is one table: its rows in order are what happens. Reading src/migration/steps.c is
 * understanding the program.
 */
#ifndef MIGRATION_STEPS_H
#define MIGRATION_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "migration/migration.h"

/* The kinds of migration; a row is wanted for some of them. */
enum kind {
	KIND_STOPPED = 1 << 0,	    /* the container does not run */
	KIND_RESTART = 1 << 1,	    /* it runs, is stopped here and started there */
	KIND_ONLINE = 1 << 2,	    /* it runs, and goes on there */
	KIND_HALT = 1 << 3,	    /* it runs, is stopped here and left so there */
	KIND_COPY = 1 << 4,	    /* it does not run, and stays: --readonly */
	KIND_COPY_RUNNING = 1 << 5, /* it runs, and goes on here */
	KIND_SHUTDOWN = KIND_RESTART | KIND_HALT,
	KIND_LEFT = KIND_STOPPED | KIND_HALT,
	KIND_RUNNING = KIND_SHUTDOWN | KIND_ONLINE,
	KIND_MOVE = KIND_STOPPED | KIND_RUNNING,
	KIND_STAY = KIND_COPY | KIND_COPY_RUNNING,
	KIND_ANY = KIND_MOVE | KIND_STAY,
};

enum phase {
	PHASE_CHECK,  /* nothing is changed: all that --dry-run does */
	PHASE_BEFORE, /* a failure takes everything back */
	PHASE_SWITCH, /* the destination is told; its answer decides */
	PHASE_AFTER,  /* the container is there; a failure is only reported */
};

struct step {
	const char *name;
	const char *notice; /* what the admin is told when it begins; NULL: nothing */
	unsigned int kinds;
	enum phase phase;
	enum exit_status exit_status; /* of its failure, where none is more exact */
	int (*run)(struct migration *migration, struct error *err);
};

extern const struct step steps[];
extern const size_t step_count;

/* Which kind a migration is, once the container is known. */
enum kind migration_kind(const struct migration *migration);

/* Will the container run on the destination? */
bool migration_starts(const struct migration *migration);

#endif
