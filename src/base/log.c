// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for handing messages to whoever shows them. */
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

static log_sink *current_sink;
static void *current_data;
static enum log_level current_level = LOG_NOTICE;

void log_set_sink(log_sink *sink, void *data)
{
	current_sink = sink;
	current_data = data;
}

void log_set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log_get_level(void)
{
	return current_level;
}

void log_message(enum log_level level, const char *format, ...)
{
	char text[2048];
	va_list arguments;

	if (current_sink == NULL || level > current_level)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	current_sink(current_data, level, text);
}
