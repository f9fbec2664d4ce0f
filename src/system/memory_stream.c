// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for telling the sender of memory what to do, and for what it answers. */
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/memory_send.h"
#include "system/memory_stream.h"

int memory_stream_start(struct memory_stream *stream, struct connection *connection,
			const char *command, const struct memory_source *source, const char *target,
			struct error *err)
{
	struct memory_send order = {
		.init = source->init,
		.method = memory_track_probe(),
		.bandwidth = source->bandwidth,
		.index = source->index,
		.answers = -1,
	};
	struct image_sending sending = {
		.subject = "memory",
		.send = memory_send,
		.data = &order,
		.answers = &order.answers,
	};

	return image_stream_open(&stream->ends, connection, command, &sending,
				 &(struct image_target){ .directory = target }, err);
}

static int tell(struct memory_stream *stream, enum memory_order_kind kind, bool later,
		const char *images, struct error *err)
{
	struct memory_order order = { .kind = (int32_t)kind, .later = later };

	if (strlen(images) >= sizeof(order.images))
		return error_set(err, "the name of the directory '%.100s…' is too long", images);
	memcpy(order.images, images, strlen(images));
	if (send(stream->ends.control, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order))
		return image_stream_failure(&stream->ends, err);
	return 0;
}

/* An answer comes whole, or the sender has ended and said why. */
static int hear(struct memory_stream *stream, struct memory_round *round, struct error *err)
{
	struct pollfd ready = { stream->ends.control, POLLIN, 0 };

	if (wait_for(&ready, 1, -1, err) < 0)
		return -1;
	if (recv(stream->ends.control, round, sizeof(*round), MSG_WAITALL) != sizeof(*round))
		return image_stream_failure(&stream->ends, err);
	return 0;
}

int memory_stream_round(struct memory_stream *stream, struct memory_round *round, struct error *err)
{
	if (tell(stream, MEMORY_ROUND, false, "", err) < 0)
		return -1;
	return hear(stream, round, err);
}

int memory_stream_last(struct memory_stream *stream, bool later, struct memory_round *last,
		       struct error *err)
{
	if (tell(stream, MEMORY_LAST, later, "", err) < 0)
		return -1;
	return hear(stream, last, err);
}

int memory_stream_finish(struct memory_stream *stream, const char *images,
			 struct image_traffic *traffic, struct error *err)
{
	if (tell(stream, MEMORY_FINISH, false, images, err) < 0)
		return -1;
	return image_stream_finish(&stream->ends, traffic, err);
}

int memory_stream_follow(struct memory_stream *stream, const char *images, int64_t *missing,
			 struct error *err)
{
	struct memory_round round;

	if (tell(stream, MEMORY_FOLLOW, false, images, err) < 0 || hear(stream, &round, err) < 0)
		return -1;
	*missing = round.open;
	return 0;
}

int memory_stream_await(struct memory_stream *stream, struct image_traffic *traffic,
			struct error *err)
{
	return image_stream_finish(&stream->ends, traffic, err);
}

void memory_stream_release(struct memory_stream *stream)
{
	image_stream_release(&stream->ends);
}
