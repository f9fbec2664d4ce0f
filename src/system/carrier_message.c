// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the form of the messages between the carrier and those who ask it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/memory.h"
#include "system/carrier_message.h"

struct head {
	int32_t kind;
	int32_t number;
};

union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(3 * sizeof(int))];
};

int carrier_pair(int *ours, int *theirs, struct error *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_system(err, "cannot make a socket pair");
	*ours = ends[0];
	*theirs = ends[1];
	return 0;
}

static void add_descriptors(struct msghdr *message, union control *control, const int *fds,
			    size_t count)
{
	struct cmsghdr *part;

	memset(control, 0, sizeof(*control));
	message->msg_control = control->bytes;
	message->msg_controllen = CMSG_SPACE(count * sizeof(int));
	part = CMSG_FIRSTHDR(message);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(part), fds, count * sizeof(int));
}

int carrier_send(int socket, enum carrier_kind kind, int number, const char *text, const int *fds,
		 size_t fd_count, struct error *err)
{
	struct head head = { .kind = (int32_t)kind, .number = number };
	struct iovec parts[2] = { { &head, sizeof(head) },
				  { (void *)(uintptr_t)text, strlen(text) } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	union control control;
	ssize_t sent;

	if (strlen(text) > CARRIER_TEXT_LIMIT)
		return error_set(err, "a command of %zu bytes is too long", strlen(text));
	if (fds != NULL && fd_count > 0)
		add_descriptors(&message, &control, fds, fd_count);
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? error_system(err, "cannot ask the process of the ssh session") : 0;
}

static void take_descriptors(struct msghdr *message, int fds[3])
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
	     part = CMSG_NXTHDR(message, part))
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
		    part->cmsg_len <= CMSG_LEN(3 * sizeof(int)))
			memcpy(fds, CMSG_DATA(part), part->cmsg_len - CMSG_LEN(0));
}

int carrier_receive(int socket, struct carrier_message *message)
{
	static char text[CARRIER_TEXT_LIMIT];
	struct head head;
	struct iovec parts[2] = { { &head, sizeof(head) }, { text, sizeof(text) } };
	union control control;
	struct msghdr packet = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;

	*message = (struct carrier_message)CARRIER_MESSAGE_NONE;
	do
		got = recvmsg(socket, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < (ssize_t)sizeof(head))
		return -1;
	take_descriptors(&packet, message->fds);
	message->kind = (enum carrier_kind)head.kind;
	message->number = head.number;
	message->text = memory_format("%.*s", (int)((size_t)got - sizeof(head)), text);
	return 1;
}

void carrier_message_release(struct carrier_message *message)
{
	memory_release(&message->text);
	for (size_t i = 0; i < COUNT_OF(message->fds); i++)
		descriptor_close(&message->fds[i]);
}
