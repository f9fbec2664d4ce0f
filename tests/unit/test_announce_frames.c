// SPDX-License-Identifier: GPL-2.0-or-later
/* The frames that announce an address, byte by byte. */
#include <arpa/inet.h>
#include <string.h>

#include "system/announce.h"
#include "unit.h"

static const unsigned char mac[6] = { 0x00, 0x16, 0x3e, 0x00, 0x01, 0x65 };

/* RFC 826's packet in an Ethernet frame to everybody. */
static const unsigned char arp[ANNOUNCE_ARP_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x16, 0x3e, 0x00, 0x01, 0x65, 0x08, 0x06,
	0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x00, 0x16, 0x3e, 0x00, 0x01, 0x65,
	0x0a, 0x4d, 0x00, 0x65, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x4d, 0x00, 0x65,
};

static void test_arp(void **state)
{
	unsigned char expected[ANNOUNCE_ARP_SIZE];
	unsigned char frame[ANNOUNCE_ARP_SIZE];
	struct in_addr address;

	(void)state;
	inet_pton(AF_INET, "10.77.0.101", &address);
	announce_build_arp(frame, mac, &address, false);
	assert_memory_equal(frame, arp, sizeof(arp));
	memcpy(expected, arp, sizeof(arp));
	expected[21] = 2;
	memset(expected + 32, 0xff, 6);
	announce_build_arp(frame, mac, &address, true);
	assert_memory_equal(frame, expected, sizeof(expected));
}

/* One's complement sum, as a receiver makes it: 0xffff when the checksum is right. */
static unsigned int receive_sum(const unsigned char *header)
{
	uint32_t sum = 58 + 32;

	for (size_t i = 8; i < 40 + 32; i += 2)
		sum += (uint32_t)header[i] << 8 | header[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void test_neighbour(void **state)
{
	static const unsigned char start[] = { 0x33, 0x33, 0,	 0,    0,    1,	   0x00, 0x16,
					       0x3e, 0x00, 0x01, 0x65, 0x86, 0xdd, 0x60, 0,
					       0,    0,	   0,	 32,   58,   255 };
	static const char *const addresses[] = { "fd00::5", "fe80::216:3eff:fe00:165",
						 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	unsigned char frame[ANNOUNCE_NEIGHBOUR_SIZE];
	struct in6_addr all_nodes;

	(void)state;
	inet_pton(AF_INET6, "ff02::1", &all_nodes);
	for (size_t i = 0; i < 3; i++) {
		struct in6_addr address;

		inet_pton(AF_INET6, addresses[i], &address);
		announce_build_neighbour(frame, mac, &address);
		assert_memory_equal(frame, start, sizeof(start));
		assert_memory_equal(frame + 22, &address, 16);
		assert_memory_equal(frame + 38, &all_nodes, 16);
		assert_int_equal(frame[54], 136);
		assert_int_equal(frame[55], 0);
		assert_int_equal(frame[58], 0x20);
		assert_memory_equal(frame + 62, &address, 16);
		assert_int_equal(frame[78], 2);
		assert_int_equal(frame[79], 1);
		assert_memory_equal(frame + 80, mac, 6);
		assert_int_equal(receive_sum(frame + 14), 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_neighbour),
	};

	return RUN_ALL(tests);
}
