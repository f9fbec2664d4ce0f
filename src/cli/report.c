// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what a person reads. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/printable.h"
#include "cli/report.h"
#include "cli/screen.h"
#include "cli/units.h"

static bool show_times;
static bool show_checks;

void report_begin(bool times, bool checks)
{
	show_times = times;
	show_checks = checks;
	screen_begin();
}

static const char *text_of(json_object *event, const char *name)
{
	const char *text = json_find_text(event, name);

	return text != NULL ? text : "";
}

static bool is(json_object *event, const char *name, const char *value)
{
	return strcmp(text_of(event, name), value) == 0;
}

/* -1: there is none. */
static int64_t number_of(json_object *event, const char *name)
{
	struct error ignored;
	int64_t number;

	return json_get_number(event, name, 0, INT64_MAX, &number, &ignored) < 0 ? -1 : number;
}

/* One line, and nothing of it may steer a terminal or look like another. */
static void print_line(FILE *stream, struct text *line)
{
	CLEANUP(memory_release) char *shown = memory_duplicate(text_string(line));

	printable_make(shown);
	screen_erase();
	fprintf(stream, "%s\n", shown);
	fflush(stream);
	screen_draw();
}

static void report_message(json_object *event)
{
	CLEANUP(text_release) struct text line = { 0 };
	bool notice = is(event, "level", "notice");

	if (!notice)
		text_format(&line, "vzmigrate: %s",
			    is(event, "level", "warning") ? "warning: " : "");
	text_format(&line, "%s", text_of(event, "text"));
	print_line(notice ? stdout : stderr, &line);
}

/* Until it is connected, something may be asked on the terminal. */
static bool may_ask(const char *stage)
{
	static const char *const asking[] = { "lock", "find", "connect" };

	for (size_t i = 0; i < COUNT_OF(asking); i++)
		if (strcmp(stage, asking[i]) == 0)
			return true;
	return false;
}

static void report_stage(json_object *event)
{
	CLEANUP(text_release) struct text line = { 0 };
	const char *container = text_of(event, "container");
	const char *text = text_of(event, "text");

	/* The stages that say nothing take no time worth the mention. */
	if (*text == '\0' && !screen_is_there())
		return;
	if (!screen_is_there()) {
		text_format(&line, "container '%s': %s", container, text);
		print_line(stdout, &line);
	} else if (*text != '\0' || may_ask(text_of(event, "stage"))) {
		text_format(&line, "%-12s  %s", container, text);
		screen_set(container, text_string(&line), may_ask(text_of(event, "stage")));
	}
}

/* "101           copying files          45%  112.3 MiB/s  512.0 MiB of 1.1 GiB  0:12 left" */
static void report_progress(json_object *event)
{
	CLEANUP(text_release) struct text line = { 0 };
	const char *container = text_of(event, "container");
	int64_t bytes = number_of(event, "bytes");
	int64_t total = number_of(event, "total");
	int64_t left = number_of(event, "eta");
	char size[UNITS_SIZE];

	text_format(&line, "%-12s  copying %-8s", container, text_of(event, "kind"));
	if (total > 0)
		text_format(&line, " %3d%%", (int)((double)bytes * 100 / (double)total));
	units_format_bytes(size, bytes);
	text_format(&line, "  %10s", size);
	if (total > 0) {
		units_format_bytes(size, total);
		text_format(&line, " of %s", size);
	}
	units_format_bytes(size, number_of(event, "rate"));
	text_format(&line, "  %10s/s", size);
	if (left >= 0)
		text_format(&line, "  %" PRId64 ":%02" PRId64 " left", left / 60, left % 60);
	screen_set(container, text_string(&line), false);
}

/* "101           memory, round 2: 34.0 MiB changed, expected to stand still for 520 ms" */
static void report_round(json_object *event)
{
	CLEANUP(text_release) struct text line = { 0 };
	const char *container = text_of(event, "container");
	char size[UNITS_SIZE];

	units_format_bytes(size, number_of(event, "changed"));
	text_format(&line, "%-12s  memory, round %" PRId64 ": %s%s", container,
		    number_of(event, "number"), size,
		    number_of(event, "number") > 1 ? " changed" : "");
	if (number_of(event, "number") > 1)
		text_format(&line, ", expected to stand still for %" PRId64 " ms",
			    number_of(event, "expected_stop_ms"));
	if (screen_is_there())
		screen_set(container, text_string(&line), false);
	else
		log_debug("%s", text_string(&line));
}

static void report_check(json_object *event)
{
	CLEANUP(text_release) struct text line = { 0 };
	const char *text = text_of(event, "text");

	if (!show_checks)
		return;
	text_format(&line, "  %-16s %-12s %-12s %s", text_of(event, "check"),
		    text_of(event, "node"), text_of(event, "verdict"), text);
	print_line(stdout, &line);
}

static void add_seconds(struct text *lines, const char *name, int64_t milliseconds)
{
	text_format(lines, "  %-16s %4" PRId64 ".%03" PRId64 " s\n", name, milliseconds / 1000,
		    milliseconds % 1000);
}

static void print_times(json_object *event)
{
	CLEANUP(text_release) struct text lines = { 0 };
	struct error ignored;
	json_object *stages = json_get_array(event, "stages", SIZE_MAX, &ignored);
	int64_t stopped = number_of(event, "stop_ms");

	for (size_t i = 0; stages != NULL && i < json_object_array_length(stages); i++) {
		json_object *stage = json_object_array_get_idx(stages, i);

		add_seconds(&lines, text_of(stage, "stage"), number_of(stage, "ms"));
	}
	add_seconds(&lines, "total", number_of(event, "total_ms"));
	if (stopped >= 0)
		add_seconds(&lines, "stopped for", stopped);
	screen_erase();
	printf("%s", text_string(&lines));
	fflush(stdout);
	screen_draw();
}

static void report_failure(json_object *event)
{
	CLEANUP(text_release) struct text line = { 0 };
	const char *container = text_of(event, "container");
	const char *text = text_of(event, "text");
	CLEANUP(memory_release) char *named = memory_format("container '%s'", container);

	text_format(&line, "vzmigrate: ");
	/* Most sentences name the container themselves. */
	if (*container != '\0' && strstr(text, named) == NULL)
		text_format(&line, "%s: ", named);
	text_format(&line, "%s", text);
	print_line(stderr, &line);
}

/* "container '101' now runs on host2 as '201' (stopped for 512 ms, 7.1 s in all)" */
static void report_success(json_object *event)
{
	CLEANUP(text_release) struct text line = { 0 };
	const char *container = text_of(event, "container");
	int64_t stopped = number_of(event, "stop_ms");
	bool runs = is(event, "state", "running");

	text_format(&line, "container '%s' %s %s", container,
		    is(event, "outcome", "checked")  ? "can move to"
		    : is(event, "outcome", "copied") ? "is copied to"
		    : runs			     ? "now runs on"
						     : "is now on",
		    text_of(event, "destination"));
	if (!is(event, "new_container", container))
		text_format(&line, " as '%s'", text_of(event, "new_container"));
	if (!runs && is(event, "outcome", "moved"))
		text_format(&line, ", stopped");
	text_format(&line, " (");
	if (stopped >= 0)
		text_format(&line, "stopped for %" PRId64 " ms, ", stopped);
	text_format(&line, "%.1f s in all)", (double)number_of(event, "total_ms") / 1000);
	print_line(stdout, &line);
}

static void report_result(json_object *event)
{
	bool moved = number_of(event, "status") == EXIT_OK;

	screen_set(text_of(event, "container"), NULL, false);
	if (show_times && moved && json_object_object_get_ex(event, "stages", NULL))
		print_times(event);
	if (!moved)
		report_failure(event);
	else if (!is(event, "outcome", "settled"))
		report_success(event);
}

static const struct {
	const char *event;
	void (*report)(json_object *event);
} reports[] = {
	{ "message", report_message }, { "stage", report_stage }, { "progress", report_progress },
	{ "check", report_check },     { "round", report_round }, { "result", report_result },
};

void report_event(json_object *event)
{
	for (size_t i = 0; i < COUNT_OF(reports); i++)
		if (is(event, "event", reports[i].event))
			reports[i].report(event);
}
