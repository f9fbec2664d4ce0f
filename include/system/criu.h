/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criu's files: what in its logs is the cause of a failure, and what in its images must be changed
 * for the new node.
 */
#ifndef SYSTEM_CRIU_H
#define SYSTEM_CRIU_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

/*
 * The first line of the log that names an error and is not known to be harmless, without criu's time
 * stamps and source positions. "" when there is none or no log.
 */
void criu_log_cause(const char *log, struct text *cause);

/* Does the dump's log end as criu ends it? Otherwise criu was killed. */
bool criu_log_is_complete(const char *log);

/*
 * Takes away what a killed criu left in the container of this cgroup: network lock (iptables' chain or
 * nft's table) and TCP connections in repair mode. The container should still be frozen: a program that runs
 * meanwhile gets EPERM from such a connection, and may close it. Returns how many there were.
 */
int criu_cure(const char *cgroup, struct error *err);

/*
 * Lets the IPv6 addresses in the images be usable at once. criu would restore them as tentative
 * (the kernel first looks for duplicates, 1-2 s), and then cannot bind the connections that use
 * them: "Can't bind inet socket back". The address moves with its container, so there is no
 * duplicate to look for.
 */
int criu_skip_duplicate_detection(const char *images, struct error *err);

/*
 * Gives the images to the root of the container's user namespace, as which criu reads them. One kind
 * (the time namespace) it reads in a process that may not have become that root yet: it is still
 * the outer root then, without its capabilities. So that image stays root's, and the directory can be
 * searched by everybody; no image can be read by anybody else.
 */
int criu_give_images(const char *images, uid_t uid, gid_t gid, struct error *err);

#endif
