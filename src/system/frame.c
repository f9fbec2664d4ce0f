// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the layout of frames of neighbour discovery. */
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "system/frame.h"

#define HOP_LIMIT 255 /* what receivers insist on: it was not forwarded */
#define CHECKSUM (FRAME_MESSAGE + 2)

unsigned char *frame_put(unsigned char *at, const void *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

unsigned char *frame_put16(unsigned char *at, unsigned int value)
{
	*at++ = (unsigned char)(value >> 8);
	*at++ = (unsigned char)value;
	return at;
}

unsigned int frame_get16(const unsigned char *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

void frame_build_arp(unsigned char frame[FRAME_ARP_SIZE], const unsigned char mac[6],
		     unsigned int operation, const void *sender, const unsigned char target_mac[6],
		     const void *target)
{
	static const unsigned char broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	unsigned char *at = frame;

	at = frame_put(at, broadcast, 6);
	at = frame_put(at, mac, 6);
	at = frame_put16(at, ETHERTYPE_ARP);
	at = frame_put16(at, ARPHRD_ETHER);
	at = frame_put16(at, ETHERTYPE_IP);
	*at++ = 6;
	*at++ = 4;
	at = frame_put16(at, operation);
	at = frame_put(at, mac, 6);
	at = frame_put(at, sender, 4);
	at = frame_put(at, target_mac, 6);
	frame_put(at, target, 4);
}

unsigned char *frame_open_message(unsigned char *frame, const unsigned char to_mac[6],
				  const unsigned char mac[6], const void *from, const void *to,
				  unsigned char type, unsigned int size)
{
	static const unsigned char version[4] = { 0x60 };
	unsigned char *at = frame;

	at = frame_put(at, to_mac, 6);
	at = frame_put(at, mac, 6);
	at = frame_put16(at, ETHERTYPE_IPV6);
	at = frame_put(at, version, 4);
	at = frame_put16(at, size);
	*at++ = IPPROTO_ICMPV6;
	*at++ = HOP_LIMIT;
	at = frame_put(at, from, 16);
	at = frame_put(at, to, 16);
	*at++ = type;
	*at++ = 0;
	return frame_put16(at, 0);
}

static uint32_t sum_words(const unsigned char *bytes, size_t length, uint32_t sum)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += frame_get16(bytes + i);
	return sum;
}

/* Over the addresses of the IP header, the length, the protocol, and the message (RFC 8200, 8.1). */
void frame_close_message(unsigned char *frame, unsigned int size)
{
	uint32_t sum = size + IPPROTO_ICMPV6;

	sum = sum_words(frame + ETHER_HDR_LEN + 8, 32, sum);
	sum = sum_words(frame + FRAME_MESSAGE, size, sum);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	frame_put16(frame + CHECKSUM, ~sum & 0xffff);
}
