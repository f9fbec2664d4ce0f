// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for how often progress is told, and for rates. */
#include <json-c/json.h>

#include "base/event.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/wait.h"

#define INTERVAL_MS 250

/* How much of the rate is what was before, by event: it settles in about two seconds. */
#define MEMORY 0.8

static void add_or_null(json_object *fields, const char *name, bool known, int64_t number)
{
	if (known)
		json_add_number(fields, name, number);
	else
		json_object_object_add(fields, name, NULL);
}

/* Seconds until the end; -1: not known. */
static int64_t time_left(int64_t left, int64_t rate)
{
	if (left == 0)
		return 0;
	return rate > 0 ? (left + rate - 1) / rate : -1;
}

static void emit(struct progress *progress)
{
	json_object *fields = json_object_new_object();
	int64_t rate = (int64_t)progress->rate;
	int64_t total = progress->total;
	int64_t left = -1;

	/* It was counted before, and files grow. */
	if (total > 0 && total < progress->bytes)
		total = progress->bytes;
	if (total > 0)
		left = time_left(total - progress->bytes, rate);
	json_add_text(fields, "kind", progress->kind);
	json_add_number(fields, "bytes", progress->bytes);
	add_or_null(fields, "total", total > 0, total);
	json_add_number(fields, "rate", rate);
	add_or_null(fields, "eta", left >= 0, left);
	event_emit("progress", fields);
}

static void measure(struct progress *progress, int64_t now)
{
	double seconds = (double)(now - progress->shown_at) / 1000;
	double rate = seconds > 0 ? (double)(progress->bytes - progress->shown) / seconds : 0;

	progress->rate = progress->rate > 0 ? MEMORY * progress->rate + (1 - MEMORY) * rate : rate;
	progress->shown_at = now;
	progress->shown = progress->bytes;
}

void progress_begin(struct progress *progress, const char *kind, int64_t total)
{
	*progress = (struct progress){ .kind = kind, .total = total, .shown_at = wait_clock() };
}

void progress_set(struct progress *progress, int64_t bytes)
{
	int64_t now = wait_clock();

	if (progress->before + bytes > progress->bytes)
		progress->bytes = progress->before + bytes;
	if (now - progress->shown_at < INTERVAL_MS)
		return;
	measure(progress, now);
	emit(progress);
}

void progress_estimate(struct progress *progress, int64_t bytes, int percent)
{
	if (percent <= 0 || (progress->total > 0 && !progress->estimated))
		return;
	progress->estimated = true;
	progress->total = progress->before + bytes * 100 / percent;
}

void progress_part(struct progress *progress)
{
	progress->before = progress->bytes;
}

void progress_end(struct progress *progress)
{
	/* What came since the last event is too short a time for a rate, unless it is the only one. */
	if (progress->shown == 0)
		measure(progress, wait_clock());
	progress->total = progress->bytes;
	emit(progress);
}
