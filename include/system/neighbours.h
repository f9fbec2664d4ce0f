/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking the neighbours on a link who has an address: ARP and neighbour solicitations, sent without
 * an address of our own, as a node does before it takes one (RFC 5227, RFC 4862).
 */
#ifndef SYSTEM_NEIGHBOURS_H
#define SYSTEM_NEIGHBOURS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define NEIGHBOURS_MAX 64

/* One address that is asked for. */
struct neighbour_question {
	const char *address; /* "10.0.0.5/24"; the prefix means nothing here */
	const char *own;     /* the MAC that may answer, or NULL: none may */
	bool answered;	     /* by another one: */
	unsigned char mac[6];
};

/* Asks on this link three times in some 200 ms. */
int neighbours_ask(const char *link, struct neighbour_question *questions, size_t count,
		   struct error *err);

/* The frames, complete but for the checksum that the hardware adds; and what an answer says: does this
 * frame tell that `mac` has the address? For tests, too. */
#define NEIGHBOURS_ARP_SIZE 42
#define NEIGHBOURS_SOLICITATION_SIZE 78

void neighbours_build_arp(unsigned char frame[NEIGHBOURS_ARP_SIZE], const unsigned char mac[6],
			  const struct in_addr *address);
void neighbours_build_solicitation(unsigned char frame[NEIGHBOURS_SOLICITATION_SIZE],
				   const unsigned char mac[6], const struct in6_addr *address);
bool neighbours_read_arp(const unsigned char *frame, size_t length, const struct in_addr *address,
			 unsigned char mac[6]);
bool neighbours_read_advertisement(const unsigned char *frame, size_t length,
				   const struct in6_addr *address, unsigned char mac[6]);

#endif
