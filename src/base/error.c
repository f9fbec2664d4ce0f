// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for how a failure is worded, nested and numbered. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* Cuts a UTF-8 text that vsnprintf() may have cut inside a character. */
static void trim_partial_character(char *text, size_t size)
{
	size_t length = strlen(text);

	if (length + 1 < size)
		return;
	while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
		length--;
	if (length > 0 && ((unsigned char)text[length - 1] & 0x80) != 0)
		length--;
	text[length] = '\0';
}

__attribute__((format(printf, 2, 0))) static void format_text(struct error *err, const char *format,
							      va_list arguments)
{
	vsnprintf(err->text, sizeof(err->text), format, arguments);
	trim_partial_character(err->text, sizeof(err->text));
}

int error_set(struct error *err, const char *format, ...)
{
	va_list arguments;

	err->exit_status = 0;
	va_start(arguments, format);
	format_text(err, format, arguments);
	va_end(arguments);
	return -1;
}

int error_exit(struct error *err, enum exit_status exit_status, const char *format, ...)
{
	va_list arguments;

	err->exit_status = (int)exit_status;
	va_start(arguments, format);
	format_text(err, format, arguments);
	va_end(arguments);
	return -1;
}

int error_system(struct error *err, const char *format, ...)
{
	int saved_errno = errno;
	va_list arguments;
	size_t length;

	err->exit_status = 0;
	va_start(arguments, format);
	format_text(err, format, arguments);
	va_end(arguments);
	length = strlen(err->text);
	snprintf(err->text + length, sizeof(err->text) - length, ": %s", strerror(saved_errno));
	errno = saved_errno;
	return -1;
}

int error_context(struct error *err, const char *format, ...)
{
	struct error inner = *err;
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	format_text(err, format, arguments);
	va_end(arguments);
	length = strlen(err->text);
	snprintf(err->text + length, sizeof(err->text) - length, ": %s", inner.text);
	trim_partial_character(err->text, sizeof(err->text));
	return -1;
}

int error_default(struct error *err, enum exit_status exit_status)
{
	if (err->exit_status == 0)
		err->exit_status = (int)exit_status;
	return -1;
}

static const struct {
	enum exit_status exit_status;
	const char *name;
} names[] = {
	{ EXIT_OK, "EXIT_OK" },
	{ EXIT_USAGE, "EXIT_USAGE" },
	{ EXIT_VE_STOPPED, "EXIT_VE_STOPPED" },
	{ EXIT_CONNECT, "EXIT_CONNECT" },
	{ EXIT_COPY, "EXIT_COPY" },
	{ EXIT_VE_START, "EXIT_VE_START" },
	{ EXIT_VE_STOP, "EXIT_VE_STOP" },
	{ EXIT_EXISTS, "EXIT_EXISTS" },
	{ EXIT_NOTEXIST, "EXIT_NOTEXIST" },
	{ EXIT_IP_INUSE, "EXIT_IP_INUSE" },
	{ EXIT_QUOTA, "EXIT_QUOTA" },
	{ EXIT_RUNTIME, "EXIT_RUNTIME" },
	{ EXIT_CPU, "EXIT_CPU" },
	{ EXIT_LOCKED, "EXIT_LOCKED" },
	{ EXIT_INTERRUPTED, "EXIT_INTERRUPTED" },
	{ EXIT_DISK_SPACE, "EXIT_DISK_SPACE" },
	{ EXIT_TECHNOLOGIES, "EXIT_TECHNOLOGIES" },
	{ EXIT_UNRESOLVED, "EXIT_UNRESOLVED" },
};

const char *exit_status_name(int exit_status)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((int)names[i].exit_status == exit_status)
			return names[i].name;
	return "EXIT_UNKNOWN";
}

bool exit_status_is_failure(int exit_status)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((int)names[i].exit_status == exit_status)
			return exit_status != EXIT_OK;
	return false;
}
