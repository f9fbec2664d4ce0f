// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for writing the frames of an image stream. */
#include <endian.h>
#include <errno.h>
#include <sys/uio.h>

#include "base/memory.h"
#include "system/image_writer.h"

int image_write(struct image_writer *writer, enum image_frame_kind kind, uint64_t number,
		const void *bytes, size_t length, struct error *err)
{
	struct image_frame frame = { (uint32_t)kind, (uint32_t)length, number };
	unsigned char head[IMAGE_FRAME_SIZE];
	struct iovec parts[2] = { { head, sizeof(head) }, { (void *)(uintptr_t)bytes, length } };
	size_t part = 0;

	image_frame_pack(&frame, head);
	writer->sent += (int64_t)(sizeof(head) + length);
	writer->sizes += kind == IMAGE_SIZE;
	writer->sum = image_checksum(writer->sum, head, sizeof(head));
	writer->sum = image_checksum(writer->sum, bytes, length);
	while (part < COUNT_OF(parts)) {
		ssize_t written = writev(writer->output, parts + part, (int)(2 - part));

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_system(err, "cannot send the stream");
		for (; part < COUNT_OF(parts) && (size_t)written >= parts[part].iov_len; part++)
			written -= (ssize_t)parts[part].iov_len;
		if (part < COUNT_OF(parts)) {
			parts[part].iov_base = (char *)parts[part].iov_base + written;
			parts[part].iov_len -= (size_t)written;
		}
	}
	return 0;
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
