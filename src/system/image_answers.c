// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what the receiver of images says to their sender. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/image_answers.h"
#include "system/image_stream.h"

/* As long as the sender does not take what was said, no more is read: whoever wants something finds the FIFO
 * full, and asks again. */
#define LEFT_MAX 65536

/* Of requests, at a time. */
#define REQUESTS 64

/* One that an earlier receiver has made will do: whoever writes to it goes on. */
static int open_wanted(int directory)
{
	CLEANUP(descriptor_close) int fd = -1;
	struct stat status;

	if (mkfifoat(directory, IMAGE_WANTED, 0600) < 0 && errno != EEXIST)
		return -1;
	/* For writing too: it has no end as long as we are there. */
	fd = openat(directory, IMAGE_WANTED, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status) < 0)
		return -1;
	errno = EEXIST;
	return S_ISFIFO(status.st_mode) ? descriptor_steal(&fd) : -1;
}

int image_answers_add(struct image_answers *answers, uint64_t number, struct error *err)
{
	/* More than that nobody asks before it has heard. */
	if (answers->output < 0 || answers->wanted >= 0 || answers->left.length > LEFT_MAX)
		return error_set(err, "the images' stream asks for an answer that nobody expects");
	number = htole64(number);
	if (fcntl(answers->output, F_SETFL, O_NONBLOCK) < 0)
		return error_system(err, "cannot answer the sender of the images");
	text_append(&answers->left, &number, sizeof(number));
	return 0;
}

int image_answers_begin(struct image_answers *answers, int directory, uint64_t number,
			struct error *err)
{
	if (image_answers_add(answers, number, err) < 0)
		return -1;
	answers->wanted = open_wanted(directory);
	if (answers->wanted < 0)
		return error_system(err, "cannot make '%s' beside the images", IMAGE_WANTED);
	return 0;
}

/* Requests are written whole, so they are read whole. */
static void read_requests(struct image_answers *answers)
{
	struct image_request requests[REQUESTS];
	ssize_t got = read(answers->wanted, requests, sizeof(requests));

	for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(requests[0]); i++) {
		const struct image_request request = {
			.process = htole32(requests[i].process),
			.address = htole64(requests[i].address),
		};

		text_append(&answers->left, &request, sizeof(request));
	}
}

static int write_left(struct image_answers *answers, struct error *err)
{
	struct text *left = &answers->left;
	ssize_t written = write(answers->output, left->bytes, left->length);

	if (written < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (written < 0)
		return error_system(err, "cannot answer the sender of the images");
	left->length -= (size_t)written;
	memmove(left->bytes, left->bytes + written, left->length);
	return 0;
}

int image_answers_wait(struct image_answers *answers, int input, int timeout_ms, struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;

	for (;;) {
		struct text *left = &answers->left;
		struct pollfd ready[3] = {
			{ input, POLLIN, 0 },
			{ left->length < LEFT_MAX ? answers->wanted : -1, POLLIN, 0 },
			{ left->length > 0 ? answers->output : -1, POLLOUT, 0 },
		};
		int64_t rest = deadline - wait_clock();
		int count = wait_for(ready, COUNT_OF(ready), rest > 0 ? (int)rest : 0, err);

		if (count <= 0)
			return count;
		if (ready[1].revents != 0)
			read_requests(answers);
		if (ready[2].revents != 0 && write_left(answers, err) < 0)
			return -1;
		if (ready[0].revents != 0)
			return 1;
	}
}

void image_answers_release(struct image_answers *answers)
{
	descriptor_close(&answers->wanted);
	text_release(&answers->left);
}
