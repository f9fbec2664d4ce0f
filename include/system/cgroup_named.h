/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container's cgroups by their name, a path below the mount of every hierarchy: for when no process is
 * left to ask for them.
 */
#ifndef SYSTEM_CGROUP_NAMED_H
#define SYSTEM_CGROUP_NAMED_H

#include "base/error.h"

/* How many processes are in them and below; -1 when it cannot be found out. */
int cgroup_named_count(const char *name, struct error *err);

/* Removes them where no process is left. Returns how many stay: one that a process has just left may need
 * another try. */
int cgroup_named_remove(const char *name, struct error *err);

#endif
