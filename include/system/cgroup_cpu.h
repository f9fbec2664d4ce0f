/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU time that a cgroup may use: v1's cpu.cfs_quota_us or v2's cpu.max, whichever its directory has. As
 * paths and values come back from journals, every function checks them.
 */
#ifndef SYSTEM_CGROUP_CPU_H
#define SYSTEM_CGROUP_CPU_H

#include "base/error.h"

/* The limit as the kernel tells it, for cgroup_cpu_put_back(). The caller frees; NULL on failure. */
char *cgroup_cpu_read(const char *path, struct error *err);

/* It may use so many percent of what `before`, or without a limit this node's CPUs, would allow. */
int cgroup_cpu_limit(const char *path, const char *before, int percent, struct error *err);

/* The limit as it was. No such cgroup any more: success. */
int cgroup_cpu_put_back(const char *path, const char *before, struct error *err);

#endif
