/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named places at which a test can make this program fail, die or wait. They are only there in a
 * build with FAILURE_POINTS=1 (for tests/fault); in any other build failure_point() is 0.
 *
 * FAILURE_POINT_FILE, on the node where it shall happen, has one line, "NAME ACTION":
 *
 *	fail	the place reports a failure that names it
 *	kill	the process kills itself (SIGKILL)
 *	wait	the process goes on when FAILURE_POINT_FILE.reached is gone
 *
 * Whoever comes first takes the file: it is renamed to FAILURE_POINT_FILE.reached, and happens once.
 * The names are those of the tables: "step NAME" and "step NAME done" (migration/steps.c, in the
 * source's process), "operation NAME" and "operation NAME done" (node/operations.c, on either node).
 */
#ifndef BASE_FAILURE_POINT_H
#define BASE_FAILURE_POINT_H

#include "base/error.h"

#define FAILURE_POINT_FILE "/run/vzmigrate-failure-point"

#ifdef FAILURE_POINTS
/* `suffix` is "" or " done". */
int failure_point(const char *kind, const char *name, const char *suffix, struct error *err);
#else
static inline int failure_point(const char *kind, const char *name, const char *suffix,
				struct error *err)
{
	(void)kind;
	(void)name;
	(void)suffix;
	(void)err;
	return 0;
}
#endif

#endif
