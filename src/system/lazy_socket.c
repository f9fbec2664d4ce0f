// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the socket on which criu hands over the memory of what it restores. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/lazy_socket.h"

/* What criu says instead of a pid when the restore is finished; no pid is as big. */
#define RESTORE_FINISHED 0x52535446

/* By way of an open directory, so that the name fits whatever the directory's path. */
static int find_address(const char *path, int *directory, struct sockaddr_un *address)
{
	CLEANUP(memory_release) char *name = NULL;

	*directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*directory < 0)
		return -1;
	name = memory_format("/proc/self/fd/%d/%s", *directory, LAZY_SOCKET_NAME);
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, name, strlen(name) + 1);
	return 0;
}

int lazy_socket_listen(const char *directory, struct error *err)
{
	CLEANUP(descriptor_close) int opened = -1;
	CLEANUP(descriptor_close) int fd = -1;
	struct sockaddr_un address;

	if (find_address(directory, &opened, &address) < 0)
		return error_system(err, "cannot open '%s'", directory);
	unlinkat(opened, LAZY_SOCKET_NAME, 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 8) < 0)
		return error_system(err, "cannot listen on '%s/%s'", directory, LAZY_SOCKET_NAME);
	return descriptor_steal(&fd);
}

void lazy_socket_hang_up(const char *directory)
{
	CLEANUP(descriptor_close) int opened = -1;
	CLEANUP(descriptor_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int ignored;

	if (fd < 0 || find_address(directory, &opened, &address) < 0)
		return;
	ignored = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	(void)ignored;
}

void lazy_socket_init(struct lazy_socket *lazy, int listener, bool *finished)
{
	*lazy = (struct lazy_socket){ .listener = listener, .connection = -1 };
	lazy->finished = finished;
}

void lazy_socket_release(struct lazy_socket *lazy)
{
	descriptor_close(&lazy->listener);
	descriptor_close(&lazy->connection);
}

int lazy_socket_descriptor(const struct lazy_socket *lazy)
{
	return lazy->listener >= 0 ? lazy->listener : lazy->connection;
}

static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == 0;
}

/* Nobody but the first of root's is heard. */
static void take_connection(struct lazy_socket *lazy)
{
	CLEANUP(descriptor_close)
	int fd = accept4(lazy->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 || !is_root(fd))
		return;
	lazy->connection = descriptor_steal(&fd);
	descriptor_close(&lazy->listener);
}

/* The descriptor of a message; -1 when there is not exactly one. None stays open that nobody knows of. */
static int take_descriptor(struct msghdr *message)
{
	int found = -1;
	size_t count = 0;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
	     control = CMSG_NXTHDR(message, control)) {
		size_t length = control->cmsg_len - CMSG_LEN(0);

		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= length; at += sizeof(int), count++) {
			descriptor_close(&found);
			memcpy(&found, CMSG_DATA(control) + at, sizeof(int));
		}
	}
	if (count != 1 || (message->msg_flags & MSG_CTRUNC) != 0)
		descriptor_close(&found);
	return found;
}

/* How a read without bytes ended. */
static int judge_silence(struct lazy_socket *lazy, ssize_t got, struct error *err)
{
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return LAZY_NOTHING;
	if (got < 0 && errno != ECONNRESET)
		return error_system(err, "cannot hear criu");
	descriptor_close(&lazy->connection);
	return LAZY_LEFT;
}

/* Reads one byte, and the descriptor that comes with it, or -1. Returns as recvmsg(). */
static ssize_t read_byte(int socket, char *byte, int *fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = { .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	part.iov_base = byte;
	got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	*fd = got > 0 ? take_descriptor(&message) : -1;
	return got;
}

/* One byte, whatever it is, carries it. */
static int read_descriptor(struct lazy_socket *lazy, pid_t *pid, int *fd, struct error *err)
{
	char byte;
	ssize_t got = read_byte(lazy->connection, &byte, fd);

	if (got <= 0)
		return judge_silence(lazy, got, err);
	*pid = lazy->pid;
	lazy->pid = 0;
	if (*fd < 0)
		return error_set(err, "criu did not hand over the memory of process %d", (int)*pid);
	return LAZY_MEMORY;
}

/* A pid; that of a process that has ended already, and has no memory, is negative. */
static int judge_number(struct lazy_socket *lazy, int32_t number, struct error *err)
{
	if (number == RESTORE_FINISHED)
		return LAZY_FINISHED;
	if (number == 0)
		return error_set(err, "criu named the process 0");
	lazy->pid = number > 0 ? number : 0;
	return LAZY_NOTHING;
}

/* In this machine's own order: criu is beside us. */
static int32_t number_of(const char bytes[sizeof(int32_t)])
{
	int32_t number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

/* Reads more of a number. Returns as recv(). */
static ssize_t read_number(struct lazy_socket *lazy)
{
	char *at = lazy->bytes + lazy->have;
	size_t left = sizeof(lazy->bytes) - lazy->have;
	ssize_t got = recv(lazy->connection, at, left, MSG_DONTWAIT | MSG_PEEK);

	if (got == (ssize_t)left && number_of(lazy->bytes) == RESTORE_FINISHED)
		*lazy->finished = true;
	return got > 0 ? recv(lazy->connection, at, (size_t)got, MSG_DONTWAIT) : got;
}

int lazy_socket_next(struct lazy_socket *lazy, pid_t *pid, int *fd, struct error *err)
{
	if (lazy->listener >= 0)
		take_connection(lazy);
	while (lazy->connection >= 0) {
		ssize_t got;
		int said;

		if (lazy->pid != 0)
			return read_descriptor(lazy, pid, fd, err);
		got = read_number(lazy);
		if (got <= 0)
			return judge_silence(lazy, got, err);
		lazy->have += (size_t)got;
		if (lazy->have < sizeof(lazy->bytes))
			continue;
		lazy->have = 0;
		said = judge_number(lazy, number_of(lazy->bytes), err);
		if (said != LAZY_NOTHING)
			return said;
	}
	return LAZY_NOTHING;
}

bool lazy_socket_refuse(int fd)
{
	char last[sizeof(int32_t)] = { 0 };
	bool finished = false;
	int connection;
	char byte;
	int kept;

	while ((connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		finished = lazy_socket_refuse(connection) || finished;
	shutdown(fd, SHUT_RD);
	/* With the socket the kernel would close the descriptors that have arrived unread. Its last word
	 * would be that it has finished; of what comes before nothing is as it. */
	while (read_byte(fd, &byte, &kept) > 0) {
		memmove(last, last + 1, sizeof(last) - 1);
		last[sizeof(last) - 1] = byte;
	}
	close(fd);
	return finished || number_of(last) == RESTORE_FINISHED;
}
