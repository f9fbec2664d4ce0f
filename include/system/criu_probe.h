/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What criu(8) of this node is and can do. criu remembers what it probed in a file below /run; here
 * it is given a /run of its own, so that asking changes nothing on the node.
 */
#ifndef SYSTEM_CRIU_PROBE_H
#define SYSTEM_CRIU_PROBE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/* 40201 for 4.2.1; -1 when there is none or it does not tell. */
int criu_version(struct error *err);

/* Is it new enough to be used at all, and content with this kernel (`criu check`)? EXIT_RUNTIME. */
int criu_usable(struct error *err);

/* Probes the kernel as criu does at its first run after boot, and lets it remember: the time of that
 * is not to be spent while a container is frozen. Best effort. Returns whether criu can lock a network
 * through nftables, which it does itself; for iptables it starts nine programs, most of them at the end
 * of the restore. */
bool criu_warm(void);

/* The CPU of this node in criu's own form (`criu cpuinfo dump`), some hundred bytes. */
int criu_dump_cpu(struct text *image, struct error *err);

/* Can this node's CPU run what ran on that one? EXIT_CPU when not. */
int criu_check_cpu(const struct text *image, struct error *err);

/* The most that an image of a CPU may have. */
#define CRIU_CPU_IMAGE_MAX 16384

#endif
