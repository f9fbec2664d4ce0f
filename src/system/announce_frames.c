// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the bytes of the frames that announce an address. */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <stdint.h>
#include <string.h>

#include "system/announce.h"

#define HOP_LIMIT 255 /* what receivers insist on: it was not forwarded */
#define IP6_HEADER_SIZE 40
#define ADVERTISEMENT_SIZE 32 /* with the option that holds the MAC */

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

void announce_build_arp(unsigned char frame[ANNOUNCE_ARP_SIZE], const unsigned char mac[6],
			const struct in_addr *address, bool reply)
{
	static const unsigned char broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const unsigned char unknown[6];
	unsigned char *at = frame;

	at = put(at, broadcast, 6);
	at = put(at, mac, 6);
	at = put16(at, ETHERTYPE_ARP);
	at = put16(at, ARPHRD_ETHER);
	at = put16(at, ETHERTYPE_IP);
	*at++ = 6;
	*at++ = 4;
	at = put16(at, reply ? ARPOP_REPLY : ARPOP_REQUEST);
	at = put(at, mac, 6);
	at = put(at, address, 4);
	at = put(at, reply ? broadcast : unknown, 6);
	put(at, address, 4);
}

static uint32_t sum_words(const unsigned char *bytes, size_t length, uint32_t sum)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

/* Over the addresses of the IP header, the length, the protocol, and the message (RFC 8200, 8.1). */
static unsigned int checksum(const unsigned char *header)
{
	uint32_t sum = ADVERTISEMENT_SIZE + IPPROTO_ICMPV6;

	sum = sum_words(header + 8, 32, sum);
	sum = sum_words(header + IP6_HEADER_SIZE, ADVERTISEMENT_SIZE, sum);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

void announce_build_neighbour(unsigned char frame[ANNOUNCE_NEIGHBOUR_SIZE],
			      const unsigned char mac[6], const struct in6_addr *address)
{
	static const unsigned char group_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	static const unsigned char all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	static const unsigned char version[4] = { 0x60 };
	static const unsigned char override[4] = { 0x20 };
	unsigned char *header = frame + ETHER_HDR_LEN;
	unsigned char *at = frame;
	unsigned char *sum;

	at = put(at, group_mac, 6);
	at = put(at, mac, 6);
	at = put16(at, ETHERTYPE_IPV6);
	at = put(at, version, 4);
	at = put16(at, ADVERTISEMENT_SIZE);
	*at++ = IPPROTO_ICMPV6;
	*at++ = HOP_LIMIT;
	at = put(at, address, 16);
	at = put(at, all_nodes, 16);
	*at++ = ND_NEIGHBOR_ADVERT;
	*at++ = 0;
	sum = at;
	at = put16(at, 0);
	at = put(at, override, 4);
	at = put(at, address, 16);
	*at++ = ND_OPT_TARGET_LINKADDR;
	*at++ = 1; /* in units of 8 bytes */
	put(at, mac, 6);
	put16(sum, checksum(header));
}
