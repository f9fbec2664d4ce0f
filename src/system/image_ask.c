// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for asking the receiver of images how far it is. */
#include <endian.h>
#include <sys/socket.h>

#include "base/wait.h"
#include "system/image_ask.h"

int image_ask(struct image_writer *writer, enum image_frame_kind kind, uint64_t number, int answers,
	      struct error *err)
{
	struct pollfd ready = { answers, POLLIN, 0 };
	uint64_t answer;

	if (image_write(writer, kind, number, NULL, 0, err) < 0 || wait_for(&ready, 1, -1, err) < 0)
		return -1;
	if (recv(answers, &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
		return error_set(err, "the receiver has ended");
	if (le64toh(answer) != number)
		return error_set(err, "the receiver answers what it was not asked");
	return 0;
}
