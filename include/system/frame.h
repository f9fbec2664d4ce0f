/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet frames of neighbour discovery, ARP and ICMPv6, byte by byte: what announcing an address
 * (system/announce.h) and asking for one (system/neighbours.h) have in common. They are complete but for
 * the checksum that the hardware adds.
 */
#ifndef SYSTEM_FRAME_H
#define SYSTEM_FRAME_H

#include <net/ethernet.h>
#include <stddef.h>

#define FRAME_ARP_SIZE 42
#define FRAME_IP6_HEADER_SIZE 40

/* Where an ICMPv6 message begins. */
#define FRAME_MESSAGE (ETHER_HDR_LEN + FRAME_IP6_HEADER_SIZE)

/* Both return what follows the bytes; numbers are big-endian. */
unsigned char *frame_put(unsigned char *at, const void *bytes, size_t length);
unsigned char *frame_put16(unsigned char *at, unsigned int value);
unsigned int frame_get16(const unsigned char *at);

/* An ARP packet (ARPOP_…) to everybody; the addresses have 4 bytes. */
void frame_build_arp(unsigned char frame[FRAME_ARP_SIZE], const unsigned char mac[6],
		     unsigned int operation, const void *sender, const unsigned char target_mac[6],
		     const void *target);

/* A message of neighbour discovery from one IPv6 address to another (16 bytes each). Returns where its
 * body, what follows its checksum, is to be put; then it is closed. `size` is that of the message. */
unsigned char *frame_open_message(unsigned char *frame, const unsigned char to_mac[6],
				  const unsigned char mac[6], const void *from, const void *to,
				  unsigned char type, unsigned int size);
void frame_close_message(unsigned char *frame, unsigned int size);

#endif
