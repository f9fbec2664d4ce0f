// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for sending the announcements of a container's addresses. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "system/announce.h"
#include "system/network.h"

/* When each round is sent, after the one before: caches that missed one get another chance. */
static const int rounds_ms[] = { 0, 200, 800 };

#define FIRST_ROUND_TIMEOUT_MS 2000

struct sender {
	pid_t pid;
	int report; /* gets a struct error after the first round */
};

static int send_frame(int fd, int index, const unsigned char *frame, size_t length)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = index,
		.sll_halen = 6,
	};

	memcpy(to.sll_addr, frame, 6);
	return sendto(fd, frame, length, 0, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : 0;
}

/* "ADDRESS/PREFIX"; a prefix means nothing here. */
static int announce_address(int fd, const struct network_interface *interface, const char *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct in_addr four;
	struct in6_addr six;

	strncat(text, address, strcspn(address, "/") < sizeof(text) ? strcspn(address, "/") : 0);
	if (inet_pton(AF_INET, text, &four) == 1) {
		unsigned char frame[ANNOUNCE_ARP_SIZE];
		int result;

		announce_build_arp(frame, interface->mac, &four, false);
		result = send_frame(fd, interface->index, frame, sizeof(frame));
		announce_build_arp(frame, interface->mac, &four, true);
		return send_frame(fd, interface->index, frame, sizeof(frame)) < 0 ? -1 : result;
	}
	if (inet_pton(AF_INET6, text, &six) == 1) {
		unsigned char frame[ANNOUNCE_NEIGHBOUR_SIZE];

		announce_build_neighbour(frame, interface->mac, &six);
		return send_frame(fd, interface->index, frame, sizeof(frame));
	}
	return 0;
}

static int announce_interface(int fd, const struct network_interface *interface, struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < interface->addresses.count; i++)
		if (announce_address(fd, interface, interface->addresses.items[i]) < 0)
			result = error_system(err, "cannot announce %s on '%s'",
					      interface->addresses.items[i], interface->name);
	return result;
}

/* Every address, whatever becomes of the others; a failure is told. */
static int send_round(int fd, struct error *err)
{
	CLEANUP(network_release) struct network_interfaces interfaces = { 0 };
	int result = 0;

	if (network_read(&interfaces, err) < 0)
		return -1;
	for (size_t i = 0; i < interfaces.count; i++) {
		const struct network_interface *interface = &interfaces.items[i];
		struct error failure = { 0 };

		if (!interface->up || interface->loopback || !interface->ethernet)
			continue;
		if (announce_interface(fd, interface, &failure) == 0 || result < 0)
			continue;
		*err = failure;
		result = -1;
	}
	return result;
}

static void report_once(const struct sender *sender, const struct error *err)
{
	ssize_t ignored = write(sender->report, err, sizeof(*err));

	(void)ignored;
}

/* The grandchild. Protocol 0: it sends and never receives. */
static int send_rounds(void *data)
{
	const struct sender *sender = data;
	struct error err = { 0 };
	int fd = -1;

	if (network_enter(sender->pid, &err) == 0) {
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		if (fd < 0)
			error_system(&err, "cannot open a packet socket");
	}
	if (fd >= 0)
		send_round(fd, &err);
	report_once(sender, &err);
	close(sender->report);
	for (size_t i = 1; fd >= 0 && i < COUNT_OF(rounds_ms); i++) {
		struct timespec pause = { 0, rounds_ms[i] * 1000000L };
		struct error ignored;

		nanosleep(&pause, NULL);
		send_round(fd, &ignored);
	}
	return 0;
}

/* The child ends at once, so that init and not the caller waits for the grandchild. */
static int start_sender(void *data)
{
	struct sender *sender = data;
	struct process process = PROCESS_NONE;
	struct error err = { 0 };

	if (process_fork(&process, send_rounds, sender, &sender->report, 1, &err) < 0) {
		report_once(sender, &err);
		return 1;
	}
	return 0;
}

int announce(pid_t pid, struct error *err)
{
	CLEANUP(process_release) struct process child = PROCESS_NONE;
	CLEANUP(descriptor_close) int input = -1;
	CLEANUP(descriptor_close) int output = -1;
	struct sender sender = { .pid = pid };
	struct pollfd ready = { .events = POLLIN };
	struct error result;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, "cannot make a pipe");
	input = ends[0];
	output = ends[1];
	sender.report = output;
	if (process_fork(&child, start_sender, &sender, &output, 1, err) < 0)
		return -1;
	descriptor_close(&output);
	ready.fd = input;
	if (wait_for(&ready, 1, FIRST_ROUND_TIMEOUT_MS, err) < 0)
		return -1;
	if (ready.revents == 0 || read(input, &result, sizeof(result)) != (ssize_t)sizeof(result))
		return error_set(err, "the addresses were not announced in time");
	if (*result.text == '\0')
		return 0;
	*err = result;
	return -1;
}
