// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for where events go, and for JSON lines. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/printable.h"
#include "cli/report.h"
#include "cli/show.h"

static bool batch;
static int receiver = -1;
static const char *current_container;
static char *current_stage;

/* Names of levels, a part of the JSON interface. */
static const char *const level_names[] = {
	[LOG_WARNING] = "warning",
	[LOG_NOTICE] = "notice",
	[LOG_DEBUG] = "debug",
	[LOG_TRACE] = "trace",
};

static void print_line(json_object *object)
{
	CLEANUP(memory_release)
	char *line = memory_duplicate(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE));

	/* Outside of its strings JSON has nothing that this would change. */
	printable_make(line);
	printf("%s\n", line);
	fflush(stdout);
}

static void send_line(json_object *object)
{
	const char *line = json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE);

	/* When nobody is there any more, SIGTERM tells (cli/parallel.c). */
	if (send(receiver, line, strlen(line), MSG_NOSIGNAL) < 0)
		return;
}

static void pass_on(json_object *object)
{
	if (receiver >= 0)
		send_line(object);
	else if (batch)
		print_line(object);
	else
		report_event(object);
}

/* What every event has, in front of its own fields. */
static json_object *complete(const char *event, json_object *fields)
{
	json_object *object = json_object_new_object();

	json_add_text(object, "event", event);
	json_add_number(object, "time_ms", clock_of_day_ms());
	json_add_text(object, "container", current_container);
	if (strcmp(event, "progress") == 0)
		json_add_text(object, "stage", current_stage);
	json_object_object_foreach (fields, name, value)
		json_object_object_add(object, name, json_object_get(value));
	return object;
}

static void note_stage(const char *event, json_object *fields)
{
	const char *stage = json_find_text(fields, "stage");

	if (strcmp(event, "stage") != 0 || stage == NULL)
		return;
	memory_release(&current_stage);
	current_stage = memory_duplicate(stage);
}

static void take_event(void *data, const char *event, json_object *fields)
{
	CLEANUP(json_release) json_object *object = NULL;

	(void)data;
	note_stage(event, fields);
	object = complete(event, fields);
	pass_on(object);
}

static void take_message(void *data, enum log_level level, const char *text)
{
	json_object *fields = json_object_new_object();

	(void)data;
	json_add_text(fields, "level", level_names[level]);
	json_add_text(fields, "text", text);
	event_emit("message", fields);
}

void show_begin(const struct show_options *options)
{
	batch = options->batch;
	report_begin(options->times, options->checks);
	log_set_sink(take_message, NULL);
	event_set_sink(take_event, NULL);
}

void show_send_to(int socket)
{
	receiver = socket;
	log_set_sink(take_message, NULL);
	event_set_sink(take_event, NULL);
}

void show_received(const char *message, size_t length)
{
	CLEANUP(memory_release) char *copy = memory_allocate(length + 1, 1);
	CLEANUP(json_release) json_object *object = NULL;

	memcpy(copy, message, length);
	object = json_tokener_parse(copy);
	if (json_object_is_type(object, json_type_object))
		pass_on(object);
}

void show_container(const char *id)
{
	current_container = id;
	memory_release(&current_stage);
}

bool show_is_batch(void)
{
	return batch;
}
