// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for hiding whether an operation runs here or behind the wire. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "node/node.h"
#include "node/operations.h"

static void relay_log(const struct node *node, json_object *message)
{
	const char *text = json_find_text(message, "text");
	struct error ignored;
	int64_t level;

	if (text != NULL &&
	    json_get_number(message, "level", LOG_WARNING, LOG_TRACE, &level, &ignored) == 0)
		log_message((enum log_level)level, "%s: %s", node->name, text);
}

static int receive_answer(struct node *node, json_object **result, struct error *err)
{
	int64_t number;
	struct error ignored;

	for (;;) {
		CLEANUP(json_release)
		json_object *message = message_receive(node->wire, node->wire->silence_ms, err);
		json_object *field = NULL;

		if (message == NULL)
			return -1;
		if (message_is(message, "ping"))
			continue;
		if (message_is(message, "log")) {
			relay_log(node, message);
		} else if (json_get_number(message, "number", 0, INT64_MAX, &number, &ignored) <
				   0 ||
			   number != node->wire->requests) {
			log_debug("%s: a late answer", node->name);
		} else if (message_is(message, "error")) {
			message_to_error(message, err);
			return error_context(err, "%s", node->name);
		} else if (message_is(message, "result")) {
			json_object_object_get_ex(message, "result", &field);
			*result = json_object_get(field);
			return 0;
		}
	}
}

static int call_remote(struct node *node, const char *operation, json_object *arguments,
		       json_object **result, struct error *err)
{
	CLEANUP(json_release) json_object *request = message_new("request");

	json_add_number(request, "number", ++node->wire->requests);
	json_add_text(request, "operation", operation);
	json_object_object_add(request, "arguments", json_object_get(arguments));
	if (message_send(node->wire, request, -1, err) < 0)
		return -1;
	return receive_answer(node, result, err);
}

int node_call(struct node *node, const char *operation, json_object *arguments,
	      json_object **result, struct error *err)
{
	CLEANUP(json_release)
	json_object *owned = arguments != NULL ? arguments : json_object_new_object();
	CLEANUP(json_release) json_object *answer = NULL;
	int outcome;

	if (node->host != NULL)
		outcome = operation_run(node->host, operation, owned, &answer, err);
	else
		outcome = call_remote(node, operation, owned, &answer, err);
	if (outcome == 0 && result != NULL) {
		*result = answer;
		answer = NULL;
	}
	return outcome;
}
