// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for handing events to whoever shows them. */
#include <stddef.h>

#include "base/event.h"

static event_sink *current_sink;
static void *current_data;

void event_set_sink(event_sink *sink, void *data)
{
	current_sink = sink;
	current_data = data;
}

void event_emit(const char *event, json_object *fields)
{
	if (current_sink != NULL)
		current_sink(current_data, event, fields);
	json_object_put(fields);
}
