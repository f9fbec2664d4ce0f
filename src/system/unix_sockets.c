// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for asking the kernel how unix sockets are connected (sock_diag(7)). */
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/offload.h"
#include "system/network.h"
#include "system/unix_sockets.h"

/* More than these in one container are not looked at. */
#define SOCKETS_MAX 65536

#define TABLE_LIMIT (32 << 20)

struct shared {
	size_t count;
	struct unix_socket items[SOCKETS_MAX];
};

struct order {
	pid_t pid;
	struct shared *found;
};

void unix_sockets_release(struct unix_sockets *sockets)
{
	free(sockets->items);
	*sockets = (struct unix_sockets){ 0 };
}

static void add_socket(struct shared *found, const struct nlmsghdr *header)
{
	const struct unix_diag_msg *message = NLMSG_DATA(header);
	size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*message));
	const struct rtattr *attribute = (const struct rtattr *)(message + 1);
	struct unix_socket socket = { .inode = message->udiag_ino };

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == UNIX_DIAG_PEER &&
		    RTA_PAYLOAD(attribute) >= sizeof(socket.peer))
			memcpy(&socket.peer, RTA_DATA(attribute), sizeof(socket.peer));
	if (found->count < SOCKETS_MAX)
		found->items[found->count++] = socket;
}

/* Returns 1 at the end of the list. */
static int read_answers(int fd, struct shared *found, struct error *err)
{
	_Alignas(struct nlmsghdr) char bytes[32768];
	ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
	size_t left = got > 0 ? (size_t)got : 0;

	if (got <= 0)
		return error_system(err, "cannot list unix sockets");
	for (const struct nlmsghdr *header = (const struct nlmsghdr *)bytes; NLMSG_OK(header, left);
	     header = NLMSG_NEXT(header, left)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return error_set(err, "the kernel does not list unix sockets");
		if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct unix_diag_msg)))
			add_socket(found, header);
	}
	return 0;
}

static int list_sockets(const void *data, struct error *err)
{
	const struct order *order = data;
	CLEANUP(descriptor_close) int fd = -1;
	struct {
		struct nlmsghdr header;
		struct unix_diag_req request;
	} question = {
		.header = {
			.nlmsg_len = sizeof(question),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.request = {
			.sdiag_family = AF_UNIX,
			.udiag_states = UINT32_MAX,
			.udiag_show = UDIAG_SHOW_PEER,
		},
	};
	int ended = 0;

	if (network_enter(order->pid, err) < 0)
		return -1;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0 || send(fd, &question, sizeof(question), 0) < 0)
		return error_system(err, "cannot ask for unix sockets");
	while (ended == 0)
		ended = read_answers(fd, order->found, err);
	return ended > 0 ? 0 : -1;
}

int unix_sockets_read(pid_t pid, struct unix_sockets *sockets, struct error *err)
{
	struct shared *found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct order order = { pid, found };
	int result;

	*sockets = (struct unix_sockets){ 0 };
	if (found == MAP_FAILED)
		return error_system(err, "cannot get memory");
	result = offload(list_sockets, &order, err);
	if (result == 0 && found->count > 0) {
		sockets->items = memory_allocate(found->count, sizeof(*sockets->items));
		memcpy(sockets->items, found->items, found->count * sizeof(*sockets->items));
		sockets->count = found->count;
	}
	munmap(found, sizeof(*found));
	return result;
}

/* "Num RefCount Protocol Flags Type St Inode Path" */
static char *find_path(const char *file, uint32_t inode)
{
	CLEANUP(text_release) struct text table = { 0 };
	struct error ignored;
	char *rest;

	if (file_read(file, TABLE_LIMIT, &table, &ignored) < 0)
		return NULL;
	rest = table.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		unsigned long found;
		int path = 0;

		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %n", &found, &path) == 1 &&
		    found == inode && path > 0 && line[path] != '\0')
			return memory_duplicate(line + path);
	}
	return NULL;
}

/* What accept() returns belongs to the namespace of who connected. */
char *unix_socket_path(pid_t pid, uint32_t inode)
{
	CLEANUP(memory_release) char *table = memory_format("/proc/%d/net/unix", (int)pid);
	char *path = find_path(table, inode);

	return path != NULL ? path : find_path("/proc/net/unix", inode);
}
