// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for failing on cue, in builds for tests. */
#include "base/failure_point.h"

#ifdef FAILURE_POINTS
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"

#define REACHED FAILURE_POINT_FILE ".reached"
#define LOOK_AGAIN_MS 10

static int act(const char *point, const char *action, struct error *err)
{
	if (strcmp(action, "fail") == 0)
		return error_set(err, "the failure point '%s' was reached", point);
	if (strcmp(action, "kill") == 0)
		kill(getpid(), SIGKILL);
	while (strcmp(action, "wait") == 0 && file_exists(REACHED))
		if (wait_sleep(LOOK_AGAIN_MS, err) < 0)
			return -1;
	return 0;
}

int failure_point(const char *kind, const char *name, const char *suffix, struct error *err)
{
	CLEANUP(memory_release) char *point = memory_format("%s %s%s ", kind, name, suffix);
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	const char *wanted;

	if (!file_exists(FAILURE_POINT_FILE) ||
	    file_read(FAILURE_POINT_FILE, 256, &content, &ignored) < 0 || content.length == 0)
		return 0;
	wanted = text_strip(content.bytes);
	if (!text_starts_with(wanted, point) || strchr(wanted + strlen(point), ' ') != NULL ||
	    rename(FAILURE_POINT_FILE, REACHED) < 0)
		return 0;
	point[strlen(point) - 1] = '\0';
	return act(point, wanted + strlen(point) + 1, err);
}
#endif
