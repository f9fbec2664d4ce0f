// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for writing the frames of an image stream. */
#include <endian.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/image_writer.h"

/* A socket tells before it has to wait; other outputs are files. */
static ssize_t write_some(int output, struct iovec *parts, size_t count, bool may_wait)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
	ssize_t written = sendmsg(output, &message, MSG_NOSIGNAL | (may_wait ? 0 : MSG_DONTWAIT));

	return written < 0 && errno == ENOTSOCK ? writev(output, parts, (int)count) : written;
}

/* *waited: not all of it had room. */
static int write_all(int output, struct iovec parts[2], bool *waited, struct error *err)
{
	for (size_t part = 0; part < 2;) {
		ssize_t written = write_some(output, parts + part, 2 - part, *waited);

		if (written < 0 && errno == EAGAIN)
			*waited = true;
		if (written < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (written < 0)
			return error_system(err, "cannot send the stream");
		for (; part < 2 && (size_t)written >= parts[part].iov_len; part++)
			written -= (ssize_t)parts[part].iov_len;
		if (part < 2) {
			parts[part].iov_base = (char *)parts[part].iov_base + written;
			parts[part].iov_len -= (size_t)written;
		}
	}
	return 0;
}

static int write_frame(struct image_writer *writer, enum image_frame_kind kind, uint64_t number,
		       const void *bytes, size_t length, bool *waited, struct error *err)
{
	struct image_frame frame = { (uint32_t)kind, (uint32_t)length, number };
	unsigned char head[IMAGE_FRAME_SIZE];
	struct iovec parts[2] = { { head, sizeof(head) }, { (void *)(uintptr_t)bytes, length } };

	image_frame_pack(&frame, head);
	writer->traffic.sent += (int64_t)(sizeof(head) + length);
	writer->traffic.raw += (int64_t)(sizeof(head) + length);
	writer->sizes += kind == IMAGE_SIZE;
	writer->sum = image_checksum(writer->sum, head, sizeof(head));
	writer->sum = image_checksum(writer->sum, bytes, length);
	return write_all(writer->output, parts, waited, err);
}

static int64_t processor_ns(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
	return (int64_t)spent.tv_sec * 1000000000 + spent.tv_nsec;
}

/* *packed becomes what is sent instead, *size bytes; 0: nothing. */
static int pack(struct image_writer *writer, const void *bytes, size_t length,
		const unsigned char **packed, size_t *size, struct error *err)
{
	int64_t began = processor_ns();

	if (writer->packer == NULL && (writer->packer = image_packer_new(err)) == NULL)
		return -1;
	*size = image_pack(writer->packer, bytes, length, packed);
	pack_choice_packed(&writer->choice, length, *size > 0 ? *size : length,
			   processor_ns() - began);
	return 0;
}

/* Everything is told to whoever chooses: how long it took until this was there, to pack it, and to write it. */
static int write_data(struct image_writer *writer, uint64_t number, const void *bytes,
		      size_t length, struct error *err)
{
	struct pack_choice *choice = &writer->choice;
	const unsigned char *packed;
	bool waited = false;
	size_t size = 0;
	int64_t began;
	int outcome;

	if (writer->ended > 0)
		pack_choice_made(choice, length, wait_clock_ns() - writer->ended);
	if (pack_choice_next(choice, length) &&
	    pack(writer, bytes, length, &packed, &size, err) < 0)
		return -1;
	began = wait_clock_ns();
	outcome = size > 0 ? write_frame(writer, IMAGE_PACKED, number, packed, size, &waited, err)
			   : write_frame(writer, IMAGE_DATA, number, bytes, length, &waited, err);
	writer->traffic.raw += size > 0 ? (int64_t)(length - size) : 0;
	writer->ended = wait_clock_ns();
	pack_choice_written(choice, size > 0 ? size : length, size > 0, waited, began,
			    writer->ended);
	return outcome;
}

int image_write(struct image_writer *writer, enum image_frame_kind kind, uint64_t number,
		const void *bytes, size_t length, struct error *err)
{
	bool waited = false;

	if (kind == IMAGE_DATA && writer->choice.allowed)
		return write_data(writer, number, bytes, length, err);
	return write_frame(writer, kind, number, bytes, length, &waited, err);
}

int image_write_range(struct image_writer *writer, enum image_frame_kind kind, uint64_t at,
		      uint64_t length, struct error *err)
{
	uint64_t bytes = htole64(length);

	return image_write(writer, kind, at, &bytes, sizeof(bytes), err);
}

int image_write_end(struct image_writer *writer, struct error *err)
{
	uint64_t sum = htole64(writer->sum);

	return image_write(writer, IMAGE_END, writer->sizes, &sum, sizeof(sum), err);
}

void image_writer_pause(struct image_writer *writer)
{
	writer->ended = 0;
	pack_choice_pause(&writer->choice);
}

void image_writer_release(struct image_writer *writer)
{
	image_packer_free(&writer->packer);
}
