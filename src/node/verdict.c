// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for lists of verdicts and for distrusting those of a peer. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "node/check.h"
#include "node/verdict.h"

/* A container of a thousand processes may have as much wrong with it. */
#define VERDICTS_MAX 1024

#define TEXT_SIZE 1024

static const char *const state_names[] = {
	[VERDICT_GO] = "go",
	[VERDICT_OFFLINE_ONLY] = "offline only",
	[VERDICT_NO] = "no",
	[VERDICT_SKIPPED] = "skipped",
};

const char *verdict_state_name(enum verdict_state state)
{
	return (size_t)state < COUNT_OF(state_names) ? state_names[state] : "unknown";
}

bool verdict_stops(const struct verdict *verdict)
{
	return verdict->state == VERDICT_NO || verdict->state == VERDICT_OFFLINE_ONLY;
}

void verdicts_release(struct verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++)
		free(verdicts->items[i].text);
	free(verdicts->items);
	*verdicts = (struct verdicts){ 0 };
}

void verdict_add(struct verdicts *verdicts, enum verdict_state state, int exit_status,
		 const char *text)
{
	/* What is beyond the limit is as one more of the last. */
	if (verdicts->count >= VERDICTS_MAX)
		return;
	verdicts->items =
		memory_resize(verdicts->items, verdicts->count + 1, sizeof(*verdicts->items));
	verdicts->items[verdicts->count++] = (struct verdict){
		.name = verdicts->name,
		.state = state,
		.exit_status = exit_status,
		.text = memory_duplicate(text),
	};
}

void verdict_refuse(struct verdicts *verdicts, enum exit_status exit_status, const char *format,
		    ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	verdict_add(verdicts, verdicts->failing, (int)exit_status, text);
}

void verdict_remark(struct verdicts *verdicts, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	verdict_add(verdicts, VERDICT_GO, 0, text);
}

void verdict_fail(struct verdicts *verdicts, const struct error *failure,
		  enum exit_status exit_status)
{
	verdict_add(verdicts, verdicts->failing,
		    failure->exit_status != 0 ? failure->exit_status : (int)exit_status,
		    failure->text);
}

json_object *verdicts_to_json(const struct verdicts *verdicts)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];
		json_object *item = json_object_new_object();

		json_add_text(item, "check", verdict->name);
		json_add_text(item, "verdict", verdict_state_name(verdict->state));
		json_add_number(item, "exit_status", verdict->exit_status);
		json_add_text(item, "text", verdict->text);
		json_object_array_add(list, item);
	}
	return list;
}

static int read_state(const char *name, enum verdict_state *state, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(state_names); i++)
		if (strcmp(state_names[i], name) == 0) {
			*state = (enum verdict_state)i;
			return 0;
		}
	return error_set(err, "a check's verdict is '%.20s'", name);
}

static int read_verdict(struct verdicts *verdicts, json_object *item, struct error *err)
{
	const char *name = json_get_text(item, "check", 32, err);
	const char *state_name = name != NULL ? json_get_text(item, "verdict", 16, err) : NULL;
	const char *text =
		state_name != NULL ? json_get_text(item, "text", TEXT_SIZE - 1, err) : NULL;
	enum verdict_state state = VERDICT_GO;
	int64_t exit_status;
	bool stops;

	if (text == NULL || json_get_number(item, "exit_status", 0, 255, &exit_status, err) < 0 ||
	    read_state(state_name, &state, err) < 0)
		return -1;
	verdicts->name = check_name(name);
	if (verdicts->name == NULL)
		return error_set(err, "there is no check '%s'", name);
	stops = state == VERDICT_NO || state == VERDICT_OFFLINE_ONLY;
	if (stops != exit_status_is_failure((int)exit_status))
		return error_set(err, "the verdict of the check '%s' has the exit status %d", name,
				 (int)exit_status);
	verdict_add(verdicts, state, (int)exit_status, text);
	return 0;
}

int verdicts_from_json(struct verdicts *verdicts, json_object *list, struct error *err)
{
	size_t count = json_object_array_length(list);

	if (count > VERDICTS_MAX)
		return error_set(err, "there are %zu verdicts", count);
	for (size_t i = 0; i < count; i++)
		if (read_verdict(verdicts, json_object_array_get_idx(list, i), err) < 0)
			return -1;
	return 0;
}
