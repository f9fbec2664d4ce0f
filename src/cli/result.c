// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the fields of a result, a part of the JSON interface (man page, JSON). */
#include <stddef.h>
#include <string.h>

#include "base/event.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/result.h"
#include "migration/steps.h"

/* What is left behind when it is done. */
static const char *outcome_of(const struct migration *migration)
{
	if (migration->options->check_only)
		return "checked";
	return migration->options->read_only ? "copied" : "moved";
}

static void add_status(json_object *fields, const struct error *failure)
{
	int status = failure != NULL ? failure->exit_status : EXIT_OK;

	json_add_number(fields, "status", status);
	json_add_text(fields, "name", exit_status_name(status));
	json_add_text(fields, "text", failure != NULL ? failure->text : NULL);
}

/* Of the stage that comes twice in a run, each time. */
static json_object *stages_of(const struct migration *migration)
{
	json_object *stages = json_object_new_array();

	for (size_t i = 0; i < migration->step_count; i++) {
		json_object *stage = json_object_new_object();

		json_add_text(stage, "stage", migration->times[i].name);
		json_add_number(stage, "ms", migration->times[i].milliseconds);
		json_object_array_add(stages, stage);
	}
	return stages;
}

static json_object *bytes_of(const struct migration *migration)
{
	json_object *bytes = json_object_new_object();

	for (int i = 0; i < TRAFFIC_KINDS; i++)
		json_add_number(bytes, traffic_names[i], migration->sent[i]);
	return bytes;
}

static void add_destination(json_object *fields, const struct migration *migration)
{
	const struct migration_request *request = migration->request;
	bool runs = migration_starts(migration);

	json_add_text(fields, "outcome", outcome_of(migration));
	json_add_text(fields, "state", runs ? "running" : "stopped");
	json_add_text(fields, "destination", migration->options->destination.host);
	json_add_text(fields, "new_container",
		      request->new_id != NULL ? request->new_id : request->id);
}

void result_emit(const struct migration *migration, const struct error *failure)
{
	json_object *fields = json_object_new_object();

	add_status(fields, failure);
	if (failure == NULL)
		add_destination(fields, migration);
	/* What is left stopped was not stopped for any time; what is copied was paused. */
	if (migration->stop_began > 0 &&
	    (failure != NULL || migration_starts(migration) || migration->options->read_only))
		json_add_number(fields, "stop_ms", migration->stopped_ms);
	else
		json_object_object_add(fields, "stop_ms", NULL);
	json_add_number(fields, "total_ms", migration->total_ms);
	json_object_object_add(fields, "bytes", bytes_of(migration));
	json_add_number(fields, "memory_uncompressed", migration->memory_uncompressed);
	json_object_object_add(fields, "stages", stages_of(migration));
	event_emit("result", fields);
}

void result_emit_failure(const char *container, const struct error *failure)
{
	json_object *fields = json_object_new_object();

	json_add_text(fields, "container", container);
	add_status(fields, failure);
	event_emit("result", fields);
}

void result_emit_settled(const char *container)
{
	json_object *fields = json_object_new_object();

	json_add_text(fields, "container", container);
	add_status(fields, NULL);
	json_add_text(fields, "outcome", "settled");
	event_emit("result", fields);
}
