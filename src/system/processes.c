// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding processes by their command lines. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/processes.h"

#define COMMAND_LINE_LIMIT (256 << 10)
#define INTERVAL_MS 20

/* Arguments end in zero bytes. */
static bool names(const struct text *arguments, const char *directory, size_t length)
{
	const char *end = arguments->bytes + arguments->length;

	for (const char *at = arguments->bytes; at < end; at += strlen(at) + 1)
		if (strncmp(at, directory, length) == 0 && at[length] == '/')
			return true;
	return false;
}

static bool process_names(const char *pid, const char *directory)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%s/cmdline", pid);
	CLEANUP(text_release) struct text arguments = { 0 };
	struct error ignored;

	return file_read(path, COMMAND_LINE_LIMIT, &arguments, &ignored) == 0 &&
	       arguments.length > 0 && names(&arguments, directory, strlen(directory));
}

bool processes_name(const char *directory)
{
	struct dirent *entry;
	DIR *processes = opendir("/proc");
	bool found = false;

	if (processes == NULL)
		return false;
	while (!found && (entry = readdir(processes)) != NULL)
		found = isdigit((unsigned char)entry->d_name[0]) &&
			atoi(entry->d_name) != (int)getpid() &&
			process_names(entry->d_name, directory);
	closedir(processes);
	return found;
}

int processes_wait_for_end(const char *directory, int timeout_ms, struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;

	while (processes_name(directory)) {
		if (wait_clock() >= deadline)
			return error_set(err, "programs that work in '%s' do not end", directory);
		if (wait_sleep(INTERVAL_MS, err) < 0)
			return -1;
	}
	return 0;
}
