// SPDX-License-Identifier: GPL-2.0-or-later
/* The frames that ask who has an address, byte by byte, and what counts as an answer. */
#include <arpa/inet.h>
#include <string.h>

#include "system/announce.h"
#include "system/neighbours.h"
#include "unit.h"

static const unsigned char ours[6] = { 0x02, 0, 0, 0, 0, 1 };
static const unsigned char theirs[6] = { 0x00, 0x16, 0x3e, 0x00, 0x01, 0x65 };

/* RFC 5227's probe: nobody's address asks for one. */
static void test_arp(void **state)
{
	static const unsigned char expected[NEIGHBOURS_ARP_SIZE] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,	0,    0, 0,    1,  0x08, 0x06,
		0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x02, 0, 0,    0,  0,	 1,
		0,    0,    0,	  0,	0,    0,    0,	  0,	0,    0, 0x0a, 77, 0,	 101,
	};
	unsigned char frame[NEIGHBOURS_ARP_SIZE];
	struct in_addr address;

	(void)state;
	inet_pton(AF_INET, "10.77.0.101", &address);
	neighbours_build_arp(frame, ours, &address);
	assert_memory_equal(frame, expected, sizeof(expected));
}

static void test_solicitation(void **state)
{
	unsigned char frame[NEIGHBOURS_SOLICITATION_SIZE];
	const unsigned char *header = frame + 14;
	struct in6_addr address;
	struct in6_addr group;
	uint32_t sum = 58 + 24;

	(void)state;
	inet_pton(AF_INET6, "fd77::1234:5678", &address);
	inet_pton(AF_INET6, "ff02::1:ff34:5678", &group);
	neighbours_build_solicitation(frame, ours, &address);
	assert_memory_equal(frame, "\x33\x33\xff\x34\x56\x78", 6);
	assert_memory_equal(header + 24, &group, 16);
	assert_int_equal(header[7], 255);
	assert_int_equal(header[40], 135);
	assert_memory_equal(header + 48, &address, 16);
	/* As a receiver sums it. */
	for (size_t i = 8; i < 40 + 24; i += 2)
		sum += (uint32_t)header[i] << 8 | header[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
}

static void test_answers(void **state)
{
	unsigned char arp[ANNOUNCE_ARP_SIZE];
	unsigned char neighbour[ANNOUNCE_NEIGHBOUR_SIZE];
	unsigned char mac[6];
	struct in_addr four;
	struct in_addr other_four;
	struct in6_addr six;
	struct in6_addr other_six;

	(void)state;
	inet_pton(AF_INET, "10.77.0.101", &four);
	inet_pton(AF_INET, "10.77.0.102", &other_four);
	inet_pton(AF_INET6, "fd77::101", &six);
	inet_pton(AF_INET6, "fd77::102", &other_six);
	announce_build_arp(arp, theirs, &four, true);
	announce_build_neighbour(neighbour, theirs, &six);
	assert_true(neighbours_read_arp(arp, sizeof(arp), &four, mac));
	assert_memory_equal(mac, theirs, 6);
	assert_false(neighbours_read_arp(arp, sizeof(arp), &other_four, mac));
	assert_false(neighbours_read_arp(arp, sizeof(arp) - 1, &four, mac));
	assert_false(neighbours_read_arp(neighbour, sizeof(neighbour), &four, mac));
	memset(mac, 0, sizeof(mac));
	assert_true(neighbours_read_advertisement(neighbour, sizeof(neighbour), &six, mac));
	assert_memory_equal(mac, theirs, 6);
	assert_false(neighbours_read_advertisement(neighbour, sizeof(neighbour), &other_six, mac));
	assert_false(neighbours_read_advertisement(neighbour, 77, &six, mac));
	/* Without the option, the frame's sender counts. */
	assert_true(neighbours_read_advertisement(neighbour, 78, &six, mac));
	/* Another kind of message. */
	neighbour[54] = 135;
	assert_false(neighbours_read_advertisement(neighbour, sizeof(neighbour), &six, mac));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_solicitation),
		cmocka_unit_test(test_answers),
	};

	return RUN_ALL(tests);
}
