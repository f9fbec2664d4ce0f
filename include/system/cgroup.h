/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezing and killing a container through its cgroup (the freezer of v1 where it is mounted, else
 * v2). Cgroups are named by their absolute directory below /sys/fs/cgroup; as such paths come back
 * from journals, every function checks them.
 */
#ifndef SYSTEM_CGROUP_H
#define SYSTEM_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Has this node nothing but v2? */
bool cgroup_is_unified(void);

/* The cgroup of v2 of a process, as /proc/PID/cgroup of this node says it. The caller frees. */
char *cgroup_of(pid_t pid, struct error *err);

/*
 * The directory of the cgroup that holds the container of this process and nothing else: the root
 * of its cgroup namespace, or the process's own cgroup when it has none. The caller frees *path.
 */
int cgroup_find_freezer(pid_t pid, char **path, struct error *err);

/* The same in the hierarchy of another controller of v1 ("cpu"), else of v2. */
int cgroup_find(pid_t pid, const char *controller, char **path, struct error *err);

/*
 * Returns when every process is frozen. When that takes longer than timeout_ms they are thawed
 * again and the error names one that would not.
 */
int cgroup_freeze(const char *path, int timeout_ms, struct error *err);

/* Thawed already, or no such cgroup any more: success. */
int cgroup_thaw(const char *path, struct error *err);

/* Calls visit(pid, data) for every process in it and below, but for this one. */
typedef void cgroup_visitor(pid_t pid, void *data);
int cgroup_visit(const char *path, cgroup_visitor *visit, void *data, struct error *err);

/* SIGKILL to every process in it and below. Frozen processes of v1 die when they are thawed. */
int cgroup_kill(const char *path, struct error *err);

#endif
