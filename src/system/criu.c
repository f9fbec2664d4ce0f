// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for understanding criu's logs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "system/criu.h"

/* Errors that criu reports and survives. */
static const char *const harmless[] = {
	"Can't setup RLIMIT_NOFILE for self", /* without CAP_SYS_RESOURCE */
	"The criu itself is within dumped tree",
	"Unable to open pagemap",
	"Failed to read crtools.pid",
};

/* How criu ends a dump. */
static const char *const endings[] = {
	"Dumping FAILED.",
	"Dumping finished successfully",
};

/* What follows a cause and only says that it failed. */
static const char *const consequences[] = {
	"Dumping FAILED.",
	"Restoring FAILED.",
};

static bool is_one_of(const char *line, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(line, list[i]) != NULL)
			return true;
	return false;
}

/* "(00.123456) 42: Error (criu/files.c:12): text" -> "text" */
static const char *after_position(const char *error)
{
	const char *end = strstr(error, "): ");

	return end != NULL ? end + 3 : error;
}

void criu_log_cause(const char *log, struct text *cause)
{
	FILE *stream = fopen(log, "re");
	size_t capacity = 0;
	char *line = NULL;

	text_append(cause, "", 0);
	while (stream != NULL && getline(&line, &capacity, stream) > 0) {
		const char *error = strstr(line, "Error (");
		char shown[300];

		if (error == NULL || is_one_of(line, harmless, COUNT_OF(harmless)) ||
		    is_one_of(line, consequences, COUNT_OF(consequences)))
			continue;
		error = after_position(error);
		text_printable(shown, sizeof(shown), error, strcspn(error, "\n"));
		text_format(cause, "%s", text_strip(shown));
		break;
	}
	free(line);
	if (stream != NULL)
		fclose(stream);
}

bool criu_log_is_complete(const char *log)
{
	FILE *stream = fopen(log, "re");
	size_t capacity = 0;
	char *line = NULL;
	bool complete = false;

	while (stream != NULL && getline(&line, &capacity, stream) > 0)
		complete = complete || is_one_of(line, endings, COUNT_OF(endings));
	free(line);
	if (stream != NULL)
		fclose(stream);
	return complete;
}
