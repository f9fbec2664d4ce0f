// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the bytes of the frames that ask who has an address, and of the answers. */
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <string.h>

#include "system/frame.h"
#include "system/neighbours.h"

#define SOLICITATION_SIZE 24   /* without an option: the sender has no address yet */
#define ADVERTISEMENT_LEAST 24 /* the option with the MAC may be missing: then the frame's counts */
#define NEXT_HEADER (ETHER_HDR_LEN + 6)
#define TARGET (FRAME_MESSAGE + 8)

static const unsigned char nothing[16];

void neighbours_build_arp(unsigned char frame[NEIGHBOURS_ARP_SIZE], const unsigned char mac[6],
			  const struct in_addr *address)
{
	frame_build_arp(frame, mac, ARPOP_REQUEST, nothing, nothing, address);
}

void neighbours_build_solicitation(unsigned char frame[NEIGHBOURS_SOLICITATION_SIZE],
				   const unsigned char mac[6], const struct in6_addr *address)
{
	/* The group that everybody with these last three bytes of an address listens to. */
	unsigned char group[16] = { 0xff, 0x02, [11] = 1, [12] = 0xff };
	unsigned char group_mac[6] = { 0x33, 0x33, 0xff };
	unsigned char *at;

	memcpy(group + 13, address->s6_addr + 13, 3);
	memcpy(group_mac + 3, address->s6_addr + 13, 3);
	at = frame_open_message(frame, group_mac, mac, nothing, group, ND_NEIGHBOR_SOLICIT,
				SOLICITATION_SIZE);
	at = frame_put(at, nothing, 4);
	frame_put(at, address, 16);
	frame_close_message(frame, SOLICITATION_SIZE);
}

bool neighbours_read_arp(const unsigned char *frame, size_t length, const struct in_addr *address,
			 unsigned char mac[6])
{
	const unsigned char *body = frame + ETHER_HDR_LEN;

	/* A request tells it as well as a reply: whoever asks with this address has it. */
	if (length < NEIGHBOURS_ARP_SIZE || frame_get16(frame + 12) != ETHERTYPE_ARP ||
	    frame_get16(body) != ARPHRD_ETHER || frame_get16(body + 2) != ETHERTYPE_IP ||
	    memcmp(body + 14, address, 4) != 0)
		return false;
	memcpy(mac, body + 8, 6);
	return true;
}

bool neighbours_read_advertisement(const unsigned char *frame, size_t length,
				   const struct in6_addr *address, unsigned char mac[6])
{
	const unsigned char *option = frame + FRAME_MESSAGE + ADVERTISEMENT_LEAST;

	if (length < FRAME_MESSAGE + ADVERTISEMENT_LEAST ||
	    frame_get16(frame + 12) != ETHERTYPE_IPV6 || frame[NEXT_HEADER] != IPPROTO_ICMPV6 ||
	    frame[FRAME_MESSAGE] != ND_NEIGHBOR_ADVERT || memcmp(frame + TARGET, address, 16) != 0)
		return false;
	memcpy(mac, frame + 6, 6);
	if (length >= FRAME_MESSAGE + ADVERTISEMENT_LEAST + 8 &&
	    option[0] == ND_OPT_TARGET_LINKADDR && option[1] == 1)
		memcpy(mac, option + 2, 6);
	return true;
}
