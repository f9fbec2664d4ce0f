// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what a person reads. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/report.h"
#include "migration/steps.h"

/* The longest text that is shown: a log message's (base/log). */
#define SHOWN_MAX 2048

/* How many bytes at `text` are one control character. U+0080 to U+009F are some too: U+009B is ESC [. */
static size_t control_length(const char *text)
{
	if (iscntrl((unsigned char)text[0]))
		return 1;
	return text[0] == '\xc2' && ((unsigned char)text[1] & 0xe0) == 0x80 ? 2 : 0;
}

/* A peer's words, a file's name: nothing of it may steer a terminal or look like another line. */
static const char *printable(const char *text, char *shown, size_t size)
{
	size_t length = 0;

	while (*text != '\0' && length + 1 < size) {
		size_t control = control_length(text);

		shown[length] = '?';
		if (control == 0)
			shown[length] = *text;
		length++;
		text += control > 0 ? control : 1;
	}
	shown[length] = '\0';
	return shown;
}

void report_log(void *data, enum log_level level, const char *text)
{
	char shown[SHOWN_MAX];

	(void)data;
	text = printable(text, shown, sizeof(shown));
	if (level == LOG_NOTICE) {
		printf("%s\n", text);
		fflush(stdout);
		return;
	}
	fprintf(stderr, "vzmigrate: %s%s\n", level == LOG_WARNING ? "warning: " : "", text);
}

void report_failure(const char *container, const struct error *failure)
{
	char shown[SHOWN_MAX];
	const char *text = printable(failure->text, shown, sizeof(shown));
	CLEANUP(memory_release)
	char *named = container != NULL ? memory_format("container '%s'", container) : NULL;

	/* Most sentences name the container themselves. */
	if (named != NULL && strstr(text, named) == NULL)
		fprintf(stderr, "vzmigrate: %s: %s\n", named, text);
	else
		fprintf(stderr, "vzmigrate: %s\n", text);
}

static void print_seconds(const char *name, int64_t milliseconds)
{
	printf("  %-16s %4" PRId64 ".%03" PRId64 " s\n", name, milliseconds / 1000,
	       milliseconds % 1000);
}

void report_success(const struct migration *migration, bool times)
{
	bool running = migration_kind(migration) != KIND_STOPPED;
	const char *host = migration->session->connection.host;

	if (times) {
		for (size_t i = 0; i < migration->step_count; i++)
			print_seconds(migration->times[i].name, migration->times[i].milliseconds);
		print_seconds("total", migration->total_ms);
		if (running)
			print_seconds("stopped for", migration->stopped_ms);
	}
	if (running)
		printf("container '%s' now runs on %s (stopped for %" PRId64
		       " ms, %.1f s in all)\n",
		       migration->id, host, migration->stopped_ms,
		       (double)migration->total_ms / 1000);
	else
		printf("container '%s' is now on %s (%.1f s in all)\n", migration->id, host,
		       (double)migration->total_ms / 1000);
	fflush(stdout);
}
