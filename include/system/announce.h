/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling the neighbours of a container that its addresses are here now: gratuitous ARP and
 * unsolicited neighbour advertisements, so that switches and ARP caches follow at once.
 */
#ifndef SYSTEM_ANNOUNCE_H
#define SYSTEM_ANNOUNCE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Announces every address of the network namespace of this process from each interface that is up
 * and has a MAC. Returns after the first round; a child that nobody waits for sends two more, one
 * second in all. Best effort: a failure is for a warning.
 */
int announce(pid_t pid, struct error *err);

/* Ethernet frames, complete but for the checksum that the hardware adds. For announce and tests. */
#define ANNOUNCE_ARP_SIZE 42
#define ANNOUNCE_NEIGHBOUR_SIZE 86

/* Gratuitous ARP as a request (`reply` false) or as a reply: RFC 5227 and what old kit wants. */
void announce_build_arp(unsigned char frame[ANNOUNCE_ARP_SIZE], const unsigned char mac[6],
			const struct in_addr *address, bool reply);

/* Unsolicited neighbour advertisement to all nodes, override flag set (RFC 4861, 7.2.6). */
void announce_build_neighbour(unsigned char frame[ANNOUNCE_NEIGHBOUR_SIZE],
			      const unsigned char mac[6], const struct in6_addr *address);

#endif
