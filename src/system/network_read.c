// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading interfaces and their addresses, here and in another namespace. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "system/network.h"

/* What the kernel answers at once; a namespace with thousands of addresses takes longer. */
#define READ_TIMEOUT_MS 5000
#define REPORT_SIZE_MAX (1 << 20)

void network_release(struct network_interfaces *interfaces)
{
	for (size_t i = 0; i < interfaces->count; i++)
		words_release(&interfaces->items[i].addresses);
	free(interfaces->items);
	*interfaces = (struct network_interfaces){ 0 };
}

static struct network_interface *find_or_add(struct network_interfaces *interfaces,
					     const char *name)
{
	struct network_interface *found;
	size_t length = strcspn(name, ":"); /* the label of an address: "eth0:1" */

	for (size_t i = 0; i < interfaces->count; i++)
		if (strncmp(interfaces->items[i].name, name, length) == 0 &&
		    interfaces->items[i].name[length] == '\0')
			return &interfaces->items[i];
	interfaces->items =
		memory_resize(interfaces->items, interfaces->count + 1, sizeof(*interfaces->items));
	found = &interfaces->items[interfaces->count++];
	*found = (struct network_interface){ 0 };
	snprintf(found->name, sizeof(found->name), "%.*s", (int)length, name);
	return found;
}

static unsigned int count_bits(const unsigned char *mask, size_t size)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < size; i++)
		bits += (unsigned int)__builtin_popcount(mask[i]);
	return bits;
}

static void add_address(struct network_interface *interface, const struct ifaddrs *entry)
{
	bool six = entry->ifa_addr->sa_family == AF_INET6;
	size_t size = six ? sizeof(struct in6_addr) : sizeof(struct in_addr);
	size_t offset = six ? offsetof(struct sockaddr_in6, sin6_addr)
			    : offsetof(struct sockaddr_in, sin_addr);
	unsigned int bits = (unsigned int)(size * 8);
	char text[INET6_ADDRSTRLEN];

	inet_ntop(entry->ifa_addr->sa_family, (const char *)entry->ifa_addr + offset, text,
		  sizeof(text));
	if (entry->ifa_netmask != NULL)
		bits = count_bits((const unsigned char *)entry->ifa_netmask + offset, size);
	words_format(&interface->addresses, "%s/%u", text, bits);
}

static void add_entry(struct network_interfaces *interfaces, const struct ifaddrs *entry)
{
	struct network_interface *interface = find_or_add(interfaces, entry->ifa_name);
	int family = entry->ifa_addr != NULL ? entry->ifa_addr->sa_family : AF_UNSPEC;

	interface->up = (entry->ifa_flags & IFF_UP) != 0;
	interface->loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
	if (family == AF_INET || family == AF_INET6)
		add_address(interface, entry);
	if (family == AF_PACKET) {
		struct sockaddr_ll link;

		memcpy(&link, entry->ifa_addr, sizeof(link));
		interface->index = link.sll_ifindex;
		interface->ethernet = link.sll_hatype == ARPHRD_ETHER && link.sll_halen == 6 &&
				      (entry->ifa_flags & IFF_NOARP) == 0;
		if (interface->ethernet)
			memcpy(interface->mac, link.sll_addr, sizeof(interface->mac));
	}
}

int network_read(struct network_interfaces *interfaces, struct error *err)
{
	struct ifaddrs *list;

	*interfaces = (struct network_interfaces){ 0 };
	if (getifaddrs(&list) < 0)
		return error_system(err, "cannot read the network addresses");
	for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next)
		add_entry(interfaces, entry);
	freeifaddrs(list);
	return 0;
}

int network_enter(pid_t pid, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/ns/net", (int)pid);
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return error_system(err, "cannot enter the network namespace of process %d",
				    (int)pid);
	return 0;
}

struct reader {
	pid_t pid;
	int output;
};

static void write_report(const struct network_interfaces *interfaces, struct text *report)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		const struct network_interface *interface = &interfaces->items[i];
		char mac[NETWORK_MAC_SIZE];

		network_format_mac(interface->mac, mac);
		text_format(report, "interface %s %d %d %d %d %s\n", interface->name, interface->up,
			    interface->loopback, interface->ethernet, interface->index, mac);
		for (size_t k = 0; k < interface->addresses.count; k++)
			text_format(report, "address %s\n", interface->addresses.items[k]);
	}
	text_format(report, "end\n");
}

static int reader_main(void *data)
{
	const struct reader *reader = data;
	CLEANUP(network_release) struct network_interfaces interfaces = { 0 };
	CLEANUP(text_release) struct text report = { 0 };
	struct error err = { 0 };

	if (network_enter(reader->pid, &err) < 0 || network_read(&interfaces, &err) < 0)
		text_format(&report, "error %s\n", err.text);
	else
		write_report(&interfaces, &report);
	for (size_t done = 0; done < report.length;) {
		ssize_t written = write(reader->output, report.bytes + done, report.length - done);

		if (written <= 0)
			return 1;
		done += (size_t)written;
	}
	return 0;
}

static void read_mac(const char *text, unsigned char mac[6])
{
	for (size_t i = 0; i < 6; i++)
		mac[i] = (unsigned char)strtoul(text + i * 3, NULL, 16);
}

/* The line "interface NAME UP LOOPBACK ETHERNET INDEX MAC"; a name holds no blanks. */
static bool read_interface(char *line, struct network_interfaces *interfaces)
{
	struct network_interface *interface;
	char *fields[6];

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if ((fields[i] = strsep(&line, " ")) == NULL)
			return false;
	interface = find_or_add(interfaces, fields[0]);
	interface->up = *fields[1] == '1';
	interface->loopback = *fields[2] == '1';
	interface->ethernet = *fields[3] == '1';
	interface->index = atoi(fields[4]);
	if (strlen(fields[5]) == NETWORK_MAC_SIZE - 1)
		read_mac(fields[5], interface->mac);
	return true;
}

static int read_report(struct text *report, struct network_interfaces *interfaces,
		       struct error *err)
{
	char *rest = report->bytes;

	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		if (strcmp(line, "end") == 0)
			return 0;
		if (text_starts_with(line, "error "))
			return error_set(err, "%s", line + strlen("error "));
		if (text_starts_with(line, "interface ")) {
			if (!read_interface(line + strlen("interface "), interfaces))
				break;
		} else if (text_starts_with(line, "address ") && interfaces->count > 0) {
			words_add(&interfaces->items[interfaces->count - 1].addresses,
				  line + strlen("address "));
		}
	}
	return error_set(err, "the list of network addresses ended early");
}

/* Everything that the child writes, until it closes the pipe. */
static int collect(int fd, struct text *report, struct error *err)
{
	int64_t deadline = wait_clock() + READ_TIMEOUT_MS;
	char bytes[4096];

	for (;;) {
		struct pollfd input = { fd, POLLIN, 0 };
		int64_t left = deadline - wait_clock();
		ssize_t got;

		if (wait_for(&input, 1, left > 0 ? (int)left : 0, err) < 0)
			return -1;
		if (input.revents == 0)
			return error_set(err, "reading network addresses took more than %d s",
					 READ_TIMEOUT_MS / 1000);
		got = read(fd, bytes, sizeof(bytes));
		if (got <= 0)
			return 0;
		text_append(report, bytes, (size_t)got);
		if (report->length > REPORT_SIZE_MAX)
			return error_set(err, "there are too many network addresses");
	}
}

static bool same_namespace(pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/ns/net", (int)pid);
	struct stat own;
	struct stat other;

	return stat("/proc/self/ns/net", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

int network_read_of(pid_t pid, struct network_interfaces *interfaces, struct error *err)
{
	CLEANUP(process_release) struct process child = PROCESS_NONE;
	CLEANUP(text_release) struct text report = { 0 };
	CLEANUP(descriptor_close) int input = -1;
	CLEANUP(descriptor_close) int output = -1;
	struct reader reader = { .pid = pid };
	int ends[2];

	*interfaces = (struct network_interfaces){ 0 };
	if (same_namespace(pid))
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, "cannot make a pipe");
	input = ends[0];
	output = ends[1];
	reader.output = output;
	if (process_fork(&child, reader_main, &reader, &output, 1, err) < 0)
		return -1;
	descriptor_close(&output);
	if (collect(input, &report, err) < 0 || read_report(&report, interfaces, err) < 0) {
		network_release(interfaces);
		return -1;
	}
	return 0;
}
