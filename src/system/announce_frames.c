// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the bytes of the frames that announce an address. */
#include <net/if_arp.h>
#include <netinet/icmp6.h>

#include "system/announce.h"
#include "system/frame.h"

#define ADVERTISEMENT_SIZE 32 /* with the option that holds the MAC */

void announce_build_arp(unsigned char frame[ANNOUNCE_ARP_SIZE], const unsigned char mac[6],
			const struct in_addr *address, bool reply)
{
	static const unsigned char broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const unsigned char unknown[6];

	frame_build_arp(frame, mac, reply ? ARPOP_REPLY : ARPOP_REQUEST, address,
			reply ? broadcast : unknown, address);
}

void announce_build_neighbour(unsigned char frame[ANNOUNCE_NEIGHBOUR_SIZE],
			      const unsigned char mac[6], const struct in6_addr *address)
{
	static const unsigned char group_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	static const unsigned char all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	static const unsigned char override[4] = { 0x20 };
	unsigned char *at = frame_open_message(frame, group_mac, mac, address, all_nodes,
					       ND_NEIGHBOR_ADVERT, ADVERTISEMENT_SIZE);

	at = frame_put(at, override, 4);
	at = frame_put(at, address, 16);
	*at++ = ND_OPT_TARGET_LINKADDR;
	*at++ = 1; /* in units of 8 bytes */
	frame_put(at, mac, 6);
	frame_close_message(frame, ADVERTISEMENT_SIZE);
}
