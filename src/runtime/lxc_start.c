// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for starting LXC containers, and for finding out why one would not. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "runtime/lxc.h"

/* Starting mounts, forks and configures; it takes 0.1 s. Hooks of the admin may take longer. */
#define START_TIMEOUT_MS 120000

#define LOG_SIZE_MAX (1 << 20)

/* The text of the first ERROR line, without lxc's source positions. */
static void first_error(const char *log, struct text *cause)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	char *line;
	char *end;

	if (file_read(log, LOG_SIZE_MAX, &content, &ignored) < 0 || content.length == 0)
		return;
	line = strstr(content.bytes, " ERROR ");
	if (line == NULL)
		return;
	line[strcspn(line, "\n")] = '\0';
	end = strstr(line, " - ");
	end = end != NULL ? strstr(end + 3, " - ") : NULL;
	text_format(cause, "%s", text_strip(end != NULL ? end + 3 : line));
}

static bool has_own_log(const struct container *container)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release) char *path = lxc_config_path(container->directory);
	struct error ignored;

	return path != NULL && lxc_config_read(&config, path, &ignored) == 0 &&
	       lxc_config_get(&config, "lxc.log.file") != NULL;
}

/* `log` or NULL: lxc's own choice. */
static int run_start(const struct container *container, const char *log, struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	struct process_options options = { PROCESS_DEFAULTS };

	words_add_all(&argv, (const char *const[]){ "lxc-start", "-n", container->id, "-d", NULL });
	if (log != NULL)
		words_add_all(&argv, (const char *const[]){ "-o", log, "-l", "ERROR", NULL });
	options.argv = (const char *const *)argv.items;
	return process_run(&options, START_TIMEOUT_MS, NULL, err);
}

/* Why a start failed is only in a log, and only in one named on the command line. */
static int start_with_log(const struct container *container, struct error *err)
{
	CLEANUP(memory_release) char *log = NULL;
	CLEANUP(text_release) struct text cause = { 0 };
	int result;

	log = memory_format("/run/vzmigrate-start.%s.%d.log", container->id, (int)getpid());
	unlink(log);
	result = run_start(container, log, err);
	if (result < 0 && err->exit_status == 0) {
		first_error(log, &cause);
		if (cause.length > 0)
			error_set(err, "%s", text_string(&cause));
	}
	unlink(log);
	return result;
}

/*
 * The container's monitor keeps -o until it stops. A log file that the admin has configured is left
 * in place for that: then -o is for a second try only, which tells the cause.
 */
int lxc_start(const struct container *container, struct error *err)
{
	int result = -1;

	err->exit_status = 0;
	if (has_own_log(container))
		result = run_start(container, NULL, err);
	if (result < 0 && err->exit_status != EXIT_INTERRUPTED)
		result = start_with_log(container, err);
	if (result == 0)
		result = lxc_wait_stopped(container, false, LXC_INFO_TIMEOUT_MS, err);
	if (result == 0)
		return 0;
	error_context(err, "cannot start container '%s'", container->id);
	return error_default(err, EXIT_VE_START);
}
