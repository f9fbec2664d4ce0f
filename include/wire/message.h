/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol between the source and the agent, over one byte stream each way.
 *
 * A frame is a length (4 bytes, big-endian, at most MESSAGE_LIMIT, checked before anything is read
 * or allocated) and that many bytes of one JSON object with a "type":
 *
 *	hello    both, first: {"protocol": 1, "version": "0.1.0"}; the source adds "timeout" (seconds
 *	         of silence after which a peer is lost), and "verbosity"
 *	request  source: {"number": N, "operation": NAME, "arguments": {…}}; one at a time, but an
 *	         interrupted source does not wait for the answer, so answers carry the number
 *	result   agent: {"number": N, "result": {…}}, the answer to the request
 *	error    agent: {"number": N, "exit_status": N, "text": "…"}, the other answer
 *	log      agent, before an answer: {"level": N, "text": "…"}
 *	ping     both, several times per timeout; not answered: it only breaks the silence. Who hears
 *	         nothing for SILENCE_FACTOR timeouts has lost its peer
 *
 * Bulk data never rides in messages.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>

#include <json-c/json.h>

#include "base/error.h"

#define MESSAGE_LIMIT (1 << 20)
/* Of all that two nodes say to each other, so also of image streams (system/image_stream.h): whoever changes any of it
 * after a release adds 1. The versions themselves are only told. */
#define MESSAGE_PROTOCOL 1
#define SILENCE_FACTOR 2
#define PINGS_PER_TIMEOUT 4

struct wire {
	int input; /* borrowed; both non-blocking or not, waits go through wait_for() */
	int output;
	const char *peer; /* for messages: "host2" */
	int silence_ms;	  /* after which the peer is lost; -1: never */
	int64_t requests; /* numbers given so far */
	bool sending;	  /* in the middle of a frame: a ping must wait */
};

/* Waits at most timeout_ms for the peer to take it (-1: no limit). */
int message_send(struct wire *wire, json_object *message, int timeout_ms, struct error *err);

/*
 * The next message, whatever its type; the caller owns it. NULL with *err on time-out, on end of
 * file ("host2 closed the connection") and on what is no message.
 */
json_object *message_receive(struct wire *wire, int timeout_ms, struct error *err);

/*
 * From here on a background watch pings the peer and silence_ms is set, both from its timeout.
 * Returns the watch's number for wait_unwatch().
 */
int message_start_pings(struct wire *wire, int timeout_seconds);

/* {"type": type}; the caller adds fields, and owns it. */
json_object *message_new(const char *type);

/* Is it of that type? */
bool message_is(json_object *message, const char *type);

/* An error message and the struct error in it, both ways. */
json_object *message_from_error(const struct error *failure);
int message_to_error(json_object *message, struct error *err); /* always -1 */

/* Checks a hello: protocol and fields. */
int message_check_hello(struct wire *wire, json_object *message, struct error *err);
json_object *message_hello(void);

#endif
