/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limits of a cgroup of v2: what its controllers have files for. As names and values come out of configurations
 * of other nodes, they are checked.
 */
#ifndef SYSTEM_CGROUP_LIMIT_H
#define SYSTEM_CGROUP_LIMIT_H

#include <stdbool.h>

#include "base/error.h"

/* Is it the name of a controller's file, as "memory.max"? Those of the cgroup itself ("cgroup.freeze") are none. */
bool cgroup_limit_has_name(const char *name);

/*
 * Writes the value into the file of a cgroup, which is named by its absolute directory. Cgroups above it that do not
 * yet hand the controller down do from then on.
 */
int cgroup_limit_set(const char *path, const char *name, const char *value, struct error *err);

#endif
