// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading the node's configuration file. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/configuration.h"

#define FILE_LIMIT (1 << 20)
#define KEY "REMOVEMIGRATED"

/* An apostrophe in a comment opens no quote. */
static void cut_comment(char *value)
{
	for (char *at = value; (at = strchr(at, '#')) != NULL; at++)
		if (isblank((unsigned char)at[-1])) {
			*at = '\0';
			return;
		}
}

/* `value` follows its '=', and is changed. */
static int read_value(const char *path, char *value, bool *remove_migrated, struct error *err)
{
	CLEANUP(words_release) struct words words = { 0 };

	cut_comment(value);
	if (words_split(&words, value, err) < 0)
		return error_context(err, KEY " in '%s'", path);
	if (words.count > 0 && strcasecmp(words.items[0], "yes") == 0)
		*remove_migrated = true;
	else if (words.count > 0 && strcasecmp(words.items[0], "no") == 0)
		*remove_migrated = false;
	else
		return error_exit(err, EXIT_USAGE, KEY " in '%s' is 'yes' or 'no', not '%s'", path,
				  words.count > 0 ? words.items[0] : "");
	return 0;
}

int configuration_read(const char *path, bool *remove_migrated, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	char *rest;

	if (!file_exists(path))
		return 0;
	if (file_read(path, FILE_LIMIT, &content, err) < 0)
		return error_default(err, EXIT_USAGE);
	rest = content.bytes;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		line = text_strip(line);
		if (text_starts_with(line, KEY "=") &&
		    read_value(path, line + strlen(KEY "="), remove_migrated, err) < 0)
			return error_default(err, EXIT_USAGE);
	}
	return 0;
}
