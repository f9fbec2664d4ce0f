// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for asking on a link who has an address, and for collecting the answers. */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/neighbours.h"
#include "system/network.h"

#define ROUNDS 3
#define ROUND_MS 70 /* a neighbour that is awake answers within a millisecond */

struct asking {
	int fd;
	int index;
	unsigned char mac[6];
	struct neighbour_question *questions;
	size_t count;
};

/* "ADDRESS/PREFIX" as binary; the family, or 0. */
static int parse(const char *text, void *binary)
{
	char address[INET6_ADDRSTRLEN];
	size_t length = strcspn(text, "/");

	if (length >= sizeof(address))
		return 0;
	memcpy(address, text, length);
	address[length] = '\0';
	if (inet_pton(AF_INET, address, binary) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, address, binary) == 1 ? AF_INET6 : 0;
}

static void send_question(const struct asking *asking, const char *address)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = asking->index,
		.sll_halen = 6,
	};
	unsigned char frame[NEIGHBOURS_SOLICITATION_SIZE] = { 0 };
	size_t length = 0;
	struct in6_addr binary;
	int family = parse(address, &binary);

	if (family == AF_INET) {
		struct in_addr four;

		memcpy(&four, &binary, sizeof(four));
		neighbours_build_arp(frame, asking->mac, &four);
		length = NEIGHBOURS_ARP_SIZE;
	} else if (family == AF_INET6) {
		neighbours_build_solicitation(frame, asking->mac, &binary);
		length = NEIGHBOURS_SOLICITATION_SIZE;
	}
	memcpy(to.sll_addr, frame, 6);
	/* One that is lost is sent again in the next round. */
	if (length > 0 && sendto(asking->fd, frame, length, MSG_DONTWAIT,
				 (const struct sockaddr *)&to, sizeof(to)) < 0)
		return;
}

static void match(const struct asking *asking, const unsigned char *frame, size_t length)
{
	for (size_t i = 0; i < asking->count; i++) {
		struct neighbour_question *question = &asking->questions[i];
		char text[NETWORK_MAC_SIZE];
		unsigned char mac[6];
		struct in6_addr six;
		struct in_addr four;
		int family = parse(question->address, &six);

		memcpy(&four, &six, sizeof(four));
		if (!(family == AF_INET && neighbours_read_arp(frame, length, &four, mac)) &&
		    !(family == AF_INET6 &&
		      neighbours_read_advertisement(frame, length, &six, mac)))
			continue;
		network_format_mac(mac, text);
		if (question->own != NULL && strcasecmp(text, question->own) == 0)
			continue;
		question->answered = true;
		memcpy(question->mac, mac, sizeof(mac));
	}
}

static int collect(const struct asking *asking, int milliseconds, struct error *err)
{
	int64_t deadline = wait_clock() + milliseconds;

	for (;;) {
		struct pollfd input = { asking->fd, POLLIN, 0 };
		int64_t left = deadline - wait_clock();
		unsigned char frame[256];
		ssize_t length;

		if (left <= 0)
			return 0;
		if (wait_for(&input, 1, (int)left, err) < 0)
			return -1;
		if (input.revents == 0)
			return 0;
		length = recv(asking->fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (length > 0)
			match(asking, frame, (size_t)length);
	}
}

static int open_link(struct asking *asking, const char *link, struct error *err)
{
	CLEANUP(network_release) struct network_interfaces interfaces = { 0 };
	struct sockaddr_ll own = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	if (network_read(&interfaces, err) < 0)
		return -1;
	for (size_t i = 0; i < interfaces.count; i++)
		if (strcmp(interfaces.items[i].name, link) == 0 && interfaces.items[i].ethernet) {
			asking->index = interfaces.items[i].index;
			memcpy(asking->mac, interfaces.items[i].mac, sizeof(asking->mac));
		}
	if (asking->index == 0)
		return error_set(err, "'%s' is no link that could be asked on", link);
	own.sll_ifindex = asking->index;
	/* Protocol 0 until it is bound: nothing of other links comes in. */
	asking->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (asking->fd < 0 || bind(asking->fd, (const struct sockaddr *)&own, sizeof(own)) < 0)
		return error_system(err, "cannot listen on '%s'", link);
	return 0;
}

int neighbours_ask(const char *link, struct neighbour_question *questions, size_t count,
		   struct error *err)
{
	struct asking asking = { .fd = -1, .questions = questions, .count = count };
	int result = open_link(&asking, link, err);

	for (int round = 0; result == 0 && round < ROUNDS; round++) {
		for (size_t i = 0; i < count; i++)
			send_question(&asking, questions[i].address);
		result = collect(&asking, ROUND_MS, err);
	}
	descriptor_close(&asking.fd);
	return result;
}
