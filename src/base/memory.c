// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for allocation: the one place where exhausted memory ends the process. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

static void *check(void *memory)
{
	if (memory == NULL) {
		static const char text[] = "vzmigrate: out of memory\n";
		ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

		(void)ignored;
		abort();
	}
	return memory;
}

void *memory_allocate(size_t count, size_t size)
{
	return check(calloc(count > 0 ? count : 1, size));
}

void *memory_resize(void *memory, size_t count, size_t size)
{
	return check(reallocarray(memory, count > 0 ? count : 1, size));
}

void *memory_grow(void *memory, size_t count, size_t size)
{
	/* It is full whenever their number is a power of two. */
	if ((count & (count - 1)) != 0)
		return memory;
	return memory_resize(memory, count * 2, size);
}

char *memory_duplicate(const char *text)
{
	return check(strdup(text));
}

char *memory_format(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return check(length < 0 ? NULL : text);
}

void memory_release(char **text)
{
	free(*text);
	*text = NULL;
}

void descriptor_close(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved_errno;
}

char *memory_steal(char **text)
{
	char *taken = *text;

	*text = NULL;
	return taken;
}

int descriptor_steal(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
