/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What criu says on the socket for whoever brings the memory, said by a test. */
#ifndef CRIU_WORDS_H
#define CRIU_WORDS_H

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/lazy_socket.h"
#include "unit.h"

/* The word for it. */
#define FINISHED 0x52535446

static inline int connect_to(const char *directory)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", directory, LAZY_SOCKET_NAME);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline void say_number(int fd, int32_t number)
{
	assert_int_equal(send(fd, &number, sizeof(number), MSG_NOSIGNAL), sizeof(number));
}

/* One byte with so many descriptors, all of the same file. */
static inline void say_descriptors(int socket, int file, size_t count)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
		for (size_t i = 0; i < count; i++)
			memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &file, sizeof(file));
	}
	assert_int_equal(sendmsg(socket, &message, 0), 1);
}

#endif
