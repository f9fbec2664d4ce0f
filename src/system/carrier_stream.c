// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for moving bytes between a channel and a local descriptor without blocking. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/carrier_stream.h"

/* One buffer for all streams: a stream has its own only for what got stuck. */
static char *scratch;
static size_t scratch_size;

static char *scratch_of(size_t size)
{
	if (size > scratch_size) {
		free(scratch);
		scratch = memory_allocate(size, 1);
		scratch_size = size;
	}
	return scratch;
}

void carrier_stream_open(struct carrier_stream *stream, int fd)
{
	struct stat info;

	*stream = (struct carrier_stream)CARRIER_STREAM_NONE;
	stream->fd = fd;
	if (fd >= 0 && fstat(fd, &info) == 0)
		stream->type = S_ISSOCK(info.st_mode)	? STREAM_SOCKET
			       : S_ISFIFO(info.st_mode) ? STREAM_PIPE
							: STREAM_OTHER;
}

static void drop_pending(struct carrier_stream *stream)
{
	free(stream->pending);
	stream->pending = NULL;
	stream->start = 0;
	stream->end = 0;
}

void carrier_stream_close(struct carrier_stream *stream, bool shut_down)
{
	if (stream->fd >= 0 && stream->type == STREAM_SOCKET && shut_down)
		shutdown(stream->fd, SHUT_WR);
	descriptor_close(&stream->fd);
	drop_pending(stream);
}

bool carrier_stream_pending(const struct carrier_stream *stream)
{
	return stream->pending != NULL;
}

static void keep(struct carrier_stream *stream, const char *bytes, size_t length)
{
	stream->pending = memory_allocate(length, 1);
	memcpy(stream->pending, bytes, length);
	stream->start = 0;
	stream->end = length;
}

static void advance(struct carrier_stream *stream, size_t count)
{
	stream->start += count;
	if (stream->start == stream->end)
		drop_pending(stream);
}

/*
 * A pipe of others, perhaps blocking: RWF_NOWAIT (for pipes since Linux 6.4) writes what fits; on
 * older kernels a pipe that poll(2) calls writable takes PIPE_BUF bytes without blocking.
 */
static ssize_t write_pipe(int fd, const char *bytes, size_t length)
{
	struct iovec part = { (void *)(uintptr_t)bytes, length };
	struct pollfd ready = { fd, POLLOUT, 0 };
	ssize_t written = pwritev2(fd, &part, 1, -1, RWF_NOWAIT);

	if (written >= 0 || (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS))
		return written;
	if (poll(&ready, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
}

/* Returns how much was taken (0: nothing now), or -1: nobody reads any more. */
static ssize_t write_some(const struct carrier_stream *stream, const char *bytes, size_t length)
{
	ssize_t written;

	if (stream->type == STREAM_SOCKET)
		written = send(stream->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (stream->type == STREAM_PIPE)
		written = write_pipe(stream->fd, bytes, length);
	else
		written = write(stream->fd, bytes, length);
	if (written < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
		return 0;
	return written;
}

/* Returns how much went, 0 when there is nothing now, -1 at the end of the input. */
static ssize_t read_some(const struct carrier_stream *stream, char *bytes, size_t length)
{
	ssize_t got = stream->type == STREAM_SOCKET ? recv(stream->fd, bytes, length, MSG_DONTWAIT)
						    : read(stream->fd, bytes, length);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return got <= 0 ? -1 : got;
}

/* Returns how much the channel took (0 while keys are exchanged), or -1. */
static ssize_t write_channel(ssh_channel channel, const char *bytes, size_t length)
{
	int written = ssh_channel_write(channel, bytes, (uint32_t)length);

	return written < 0 ? -1 : written;
}

int carrier_stream_send(struct carrier_stream *stream, ssh_channel channel)
{
	size_t window = ssh_channel_window_size(channel);
	ssize_t written;
	ssize_t got;
	char *bytes;

	if (stream->pending != NULL) {
		written = write_channel(channel, stream->pending + stream->start,
					stream->end - stream->start);
		if (written > 0)
			advance(stream, (size_t)written);
		return written < 0 ? -1 : 1;
	}
	if (window == 0)
		return 1;
	bytes = scratch_of(CARRIER_CHUNK);
	got = read_some(stream, bytes, window < CARRIER_CHUNK ? window : CARRIER_CHUNK);
	if (got <= 0)
		return got == 0 ? 1 : 0;
	written = write_channel(channel, bytes, (size_t)got);
	if (written >= 0 && written < got)
		keep(stream, bytes + written, (size_t)(got - written));
	return written < 0 ? -1 : 1;
}

static int flush_pending(struct carrier_stream *stream)
{
	ssize_t written =
		write_some(stream, stream->pending + stream->start, stream->end - stream->start);

	if (written > 0)
		advance(stream, (size_t)written);
	return written < 0 ? -1 : 0;
}

/*
 * All that has come is read at once: libssh opens the window again with every read, whatever is
 * still in its buffer, and would buffer without end behind a reader that takes little bites.
 */
int carrier_stream_receive(struct carrier_stream *stream, ssh_channel channel, bool errors,
			   size_t *waiting)
{
	ssize_t written = 0;
	char *bytes;
	int got;

	if (stream->pending != NULL && flush_pending(stream) < 0)
		return -1;
	if (stream->pending != NULL || *waiting == 0)
		return 0;
	bytes = scratch_of(*waiting);
	got = ssh_channel_read_nonblocking(channel, bytes, (uint32_t)*waiting, errors);
	*waiting -= got > 0 ? (size_t)got : *waiting;
	if (got <= 0)
		return 0;
	if (stream->fd < 0)
		return 0; /* nobody reads: thrown away */
	written = write_some(stream, bytes, (size_t)got);
	if (written >= 0 && written < got)
		keep(stream, bytes + written, (size_t)(got - written));
	return written < 0 ? -1 : 0;
}
