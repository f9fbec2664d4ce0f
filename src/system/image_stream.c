// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the two ends of an image stream as processes: the sender here, the receiver there. */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/image_stream.h"

/* What either end says of its failure. */
#define WORDS_MAX 1000

struct order {
	const struct image_sending *sending;
	int control;
	int output;
	int report;
	bool packs;
};

/* Tells what was sent, and stays as long as the stream is kept: that writes to a container's memory are not noticed any
 * more takes the kernel 27 ms for each GiB, unless that memory is gone by then. */
static int stay(int control, const struct image_traffic *traffic)
{
	/* Only that it is closed: its end was read before. */
	struct pollfd released = { .fd = control, .events = 0 };
	struct error ignored;

	if (write(control, traffic, sizeof(*traffic)) != sizeof(*traffic))
		return 2;
	return wait_for(&released, 1, -1, &ignored) < 0 ? 2 : 0;
}

static int run_sender(void *data)
{
	const struct order *order = data;
	struct error failure = { 0 };
	struct image_traffic traffic = { 0 };

	/* Nobody else would end it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (order->sending->send(order->sending->data, order->control, order->output, order->packs,
				 &traffic, &failure) == 0)
		return stay(order->control, &traffic);
	return write(order->report, failure.text, strlen(failure.text)) > 0 ? 1 : 2;
}

int image_stream_open(struct image_stream *stream, struct connection *connection,
		      const char *command, const struct image_sending *sending,
		      const struct image_target *target, struct error *err)
{
	CLEANUP(descriptor_close) int output = -1;
	CLEANUP(descriptor_close) int input = -1;
	CLEANUP(descriptor_close) int control = -1;
	CLEANUP(descriptor_close) int errors = -1;
	CLEANUP(descriptor_close) int answers = -1;
	CLEANUP(descriptor_close) int answering = -1;
	const char *const words[] = { target->directory, target->store, NULL };
	CLEANUP(memory_release) char *quoted = words_quote(words);
	CLEANUP(memory_release) char *line = memory_format("%s --images %s", command, quoted);
	struct order order = { .sending = sending, .packs = !connection->compresses };

	stream->subject = sending->subject;
	if (process_stream(&output, &input, err) < 0 ||
	    process_stream(&stream->control, &control, err) < 0 ||
	    process_stream(&stream->errors, &errors, err) < 0 ||
	    (sending->answers != NULL && process_stream(&answers, &answering, err) < 0) ||
	    remote_start(connection, line, input, answering, errors, &stream->receiver, err) < 0)
		return -1;
	order.control = control;
	order.output = output;
	order.report = errors;
	if (sending->answers != NULL)
		*sending->answers = answers;
	return process_fork(&stream->sender, run_sender, &order,
			    (const int[]){ control, output, errors, answers },
			    sending->answers != NULL ? 4 : 3, err);
}

int image_stream_start(struct image_stream *stream, struct connection *connection,
		       const char *command, const struct image_source *source,
		       const struct image_target *target, struct error *err)
{
	struct image_sending sending = {
		.subject = "images",
		.send = image_send,
		.data = (void *)(uintptr_t)source,
	};

	return image_stream_open(stream, connection, command, &sending, target, err);
}

/* The first words that either end said. */
int image_stream_failure(const struct image_stream *stream, struct error *err)
{
	char bytes[WORDS_MAX];
	char shown[WORDS_MAX];
	ssize_t got = recv(stream->errors, bytes, sizeof(bytes), MSG_DONTWAIT);

	text_printable(shown, sizeof(shown), bytes, got > 0 ? (size_t)got : 0);
	return error_exit(err, EXIT_COPY, "the %s could not be sent: %s", stream->subject,
			  got > 0 ? text_strip(shown) : "the stream ended early");
}

/* What the sender has sent. Returns 0 when it has failed. */
static int hear_traffic(struct image_stream *stream, struct image_traffic *traffic,
			struct error *err)
{
	struct pollfd ready = { stream->control, POLLIN, 0 };

	if (wait_for(&ready, 1, -1, err) < 0)
		return -1;
	return recv(stream->control, traffic, sizeof(*traffic), MSG_WAITALL) == sizeof(*traffic);
}

int image_stream_finish(struct image_stream *stream, struct image_traffic *traffic,
			struct error *err)
{
	struct image_traffic theirs = { 0 };
	int here;
	int there;

	shutdown(stream->control, SHUT_WR);
	here = hear_traffic(stream, &theirs, err);
	if (here < 0 || remote_wait(&stream->receiver, -1, &there, err) < 0)
		return -1;
	if (here == 0 || there != 0)
		return image_stream_failure(stream, err);
	traffic->sent += theirs.sent;
	traffic->raw += theirs.raw;
	return 0;
}

void image_stream_release(struct image_stream *stream)
{
	process_release(&stream->sender);
	if (stream->receiver.socket >= 0)
		remote_release(&stream->receiver);
	descriptor_close(&stream->control);
	descriptor_close(&stream->errors);
	*stream = (struct image_stream)IMAGE_STREAM_NONE;
}
