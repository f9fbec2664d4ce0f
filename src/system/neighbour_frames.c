// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the bytes of the frames that ask who has an address, and of the answers. */
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <string.h>

#include "system/neighbours.h"

#define HOP_LIMIT 255
#define IP6_HEADER_SIZE 40
#define SOLICITATION_SIZE 24   /* without an option: the sender has no address yet */
#define ADVERTISEMENT_LEAST 24 /* the option with the MAC may be missing: then the frame's counts */
#define NEXT_HEADER (ETHER_HDR_LEN + 6)
#define MESSAGE (ETHER_HDR_LEN + IP6_HEADER_SIZE)
#define TARGET (MESSAGE + 8)

static unsigned char *put(unsigned char *at, const void *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

static unsigned char *put16(unsigned char *at, unsigned int value)
{
	*at++ = (unsigned char)(value >> 8);
	*at++ = (unsigned char)value;
	return at;
}

static unsigned int get16(const unsigned char *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

void neighbours_build_arp(unsigned char frame[NEIGHBOURS_ARP_SIZE], const unsigned char mac[6],
			  const struct in_addr *address)
{
	static const unsigned char broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const unsigned char nothing[6];
	unsigned char *at = frame;

	at = put(at, broadcast, 6);
	at = put(at, mac, 6);
	at = put16(at, ETHERTYPE_ARP);
	at = put16(at, ARPHRD_ETHER);
	at = put16(at, ETHERTYPE_IP);
	*at++ = 6;
	*at++ = 4;
	at = put16(at, ARPOP_REQUEST);
	at = put(at, mac, 6);
	at = put(at, nothing, 4);
	at = put(at, nothing, 6);
	put(at, address, 4);
}

static unsigned int checksum(const unsigned char *header, unsigned int size)
{
	unsigned int sum = size + IPPROTO_ICMPV6;

	for (size_t i = 8; i < IP6_HEADER_SIZE; i += 2)
		sum += get16(header + i);
	for (size_t i = IP6_HEADER_SIZE; i < IP6_HEADER_SIZE + size; i += 2)
		sum += get16(header + i);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

void neighbours_build_solicitation(unsigned char frame[NEIGHBOURS_SOLICITATION_SIZE],
				   const unsigned char mac[6], const struct in6_addr *address)
{
	static const unsigned char version[4] = { 0x60 };
	static const unsigned char nothing[16];
	/* The group that everybody with these last three bytes of an address listens to. */
	unsigned char group[16] = { 0xff, 0x02, [11] = 1, [12] = 0xff };
	unsigned char group_mac[6] = { 0x33, 0x33, 0xff };
	unsigned char *header = frame + ETHER_HDR_LEN;
	unsigned char *at = frame;
	unsigned char *sum;

	memcpy(group + 13, address->s6_addr + 13, 3);
	memcpy(group_mac + 3, address->s6_addr + 13, 3);
	at = put(at, group_mac, 6);
	at = put(at, mac, 6);
	at = put16(at, ETHERTYPE_IPV6);
	at = put(at, version, 4);
	at = put16(at, SOLICITATION_SIZE);
	*at++ = IPPROTO_ICMPV6;
	*at++ = HOP_LIMIT;
	at = put(at, nothing, 16);
	at = put(at, group, 16);
	*at++ = ND_NEIGHBOR_SOLICIT;
	*at++ = 0;
	sum = at;
	at = put16(at, 0);
	at = put(at, nothing, 4);
	put(at, address, 16);
	put16(sum, checksum(header, SOLICITATION_SIZE));
}

bool neighbours_read_arp(const unsigned char *frame, size_t length, const struct in_addr *address,
			 unsigned char mac[6])
{
	const unsigned char *body = frame + ETHER_HDR_LEN;

	/* A request tells it as well as a reply: whoever asks with this address has it. */
	if (length < NEIGHBOURS_ARP_SIZE || get16(frame + 12) != ETHERTYPE_ARP ||
	    get16(body) != ARPHRD_ETHER || get16(body + 2) != ETHERTYPE_IP ||
	    memcmp(body + 14, address, 4) != 0)
		return false;
	memcpy(mac, body + 8, 6);
	return true;
}

bool neighbours_read_advertisement(const unsigned char *frame, size_t length,
				   const struct in6_addr *address, unsigned char mac[6])
{
	const unsigned char *option = frame + MESSAGE + ADVERTISEMENT_LEAST;

	if (length < MESSAGE + ADVERTISEMENT_LEAST || get16(frame + 12) != ETHERTYPE_IPV6 ||
	    frame[NEXT_HEADER] != IPPROTO_ICMPV6 || frame[MESSAGE] != ND_NEIGHBOR_ADVERT ||
	    memcmp(frame + TARGET, address, 16) != 0)
		return false;
	memcpy(mac, frame + 6, 6);
	if (length >= MESSAGE + ADVERTISEMENT_LEAST + 8 && option[0] == ND_OPT_TARGET_LINKADDR &&
	    option[1] == 1)
		memcpy(mac, option + 2, 6);
	return true;
}
