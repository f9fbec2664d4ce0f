// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for lines that change in place at the bottom of a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/screen.h"

#define COLUMNS_DEFAULT 80

struct line {
	char *container;
	char *text;
	bool quiet;
};

static bool is_terminal;
static struct line *lines;
static size_t line_count;
static size_t drawn; /* lines on the terminal; the cursor is in the last of them */

void screen_begin(void)
{
	const char *terminal = getenv("TERM");

	is_terminal = isatty(STDOUT_FILENO) && terminal != NULL && *terminal != '\0' &&
		      strcmp(terminal, "dumb") != 0;
}

bool screen_is_there(void)
{
	return is_terminal;
}

static struct line *find_line(const char *container)
{
	for (size_t i = 0; i < line_count; i++)
		if (strcmp(lines[i].container, container) == 0)
			return &lines[i];
	return NULL;
}

static void remove_line(struct line *line)
{
	size_t index = (size_t)(line - lines);

	free(line->container);
	free(line->text);
	memmove(line, line + 1, (line_count - index - 1) * sizeof(*line));
	line_count--;
}

static struct line *add_line(const char *container)
{
	lines = memory_resize(lines, line_count + 1, sizeof(*lines));
	lines[line_count] = (struct line){ .container = memory_duplicate(container) };
	return &lines[line_count++];
}

void screen_set(const char *container, const char *text, bool quiet)
{
	struct line *line = find_line(container);

	if (!is_terminal)
		return;
	screen_erase();
	if (text == NULL && line != NULL) {
		remove_line(line);
	} else if (text != NULL) {
		if (line == NULL)
			line = add_line(container);
		free(line->text);
		line->text = memory_duplicate(text);
		line->quiet = quiet;
	}
	screen_draw();
}

void screen_erase(void)
{
	if (drawn == 0)
		return;
	printf("\r");
	if (drawn > 1)
		printf("\033[%zuA", drawn - 1);
	printf("\033[J");
	fflush(stdout);
	drawn = 0;
}

static int columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

void screen_draw(void)
{
	/* One column stays free: a full line would wrap. */
	int width = columns() - 1;

	for (size_t i = 0; i < line_count; i++)
		if (lines[i].quiet)
			return;
	for (size_t i = 0; i < line_count; i++) {
		printf("%s%.*s", drawn > 0 ? "\n" : "", width, lines[i].text);
		drawn++;
	}
	fflush(stdout);
}
