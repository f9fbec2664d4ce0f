// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the state of LXC containers, stopping and fencing them. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "runtime/fence.h"
#include "runtime/lxc.h"

/* What lxc-stop may take beyond the grace: killing, and freeing cgroups and devices. */
#define STOP_EXTRA_MS 30000

/* However little time is left, an lxc-info that can answer is given the time to (it takes 3 ms). */
#define ANSWER_LEAST_MS 1000

/* How often lxc-info is asked. */
#define STATE_INTERVAL_MS 50

/* One question to lxc-info while a restore ends. */
#define SETTLE_SLICE_MS 1000

char *lxc_home(struct error *err)
{
	static const char *const argv[] = { "lxc-config", "lxc.lxcpath", NULL };
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };
	CLEANUP(text_release) struct text output = { 0 };
	char *home;
	size_t length;

	if (process_run(&options, LXC_INFO_TIMEOUT_MS, &output, err) < 0)
		return NULL;
	text_append(&output, "", 0);
	home = text_strip(output.bytes);
	length = strlen(home);
	while (length > 1 && home[length - 1] == '/')
		home[--length] = '\0';
	if (!file_path_is_plain(home)) {
		error_set(err, "lxc.lxcpath '%s' is not a plain absolute path", home);
		return NULL;
	}
	return memory_duplicate(home);
}

static char *lxc_place(const struct container *from, const char *id, struct error *err)
{
	CLEANUP(memory_release) char *home = lxc_home(err);

	(void)from;
	return home != NULL ? memory_format("%s/%s", home, id) : NULL;
}

char *lxc_config_path(const char *directory)
{
	return fence_path(directory, LXC_CONFIG_NAME);
}

int lxc_config_of(const struct container *container, struct lxc_config *config, struct error *err)
{
	CLEANUP(memory_release) char *path = lxc_config_path(container->directory);

	if (path == NULL)
		return error_set(err, "container '%s' has no configuration", container->id);
	return lxc_config_read(config, path, err);
}

void lxc_add_rcfile(struct words *argv, const char *directory)
{
	CLEANUP(memory_release) char *config = lxc_config_path(directory);

	if (config == NULL || !fence_is_up(config))
		return;
	words_add(argv, "--rcfile");
	words_add(argv, config);
}

/* The value after "Name:" at the start of a line. */
static bool find_line(const char *output, const char *name, char *value, size_t size)
{
	const char *at = output;

	while (at != NULL && *at != '\0') {
		size_t length = strcspn(at, "\n");

		if (text_starts_with(at, name)) {
			const char *from = at + strlen(name);

			from += strspn(from, " \t");
			text_printable(value, size, from, (size_t)(at + length - from));
			return true;
		}
		at += length;
		at += *at == '\n';
	}
	return false;
}

/* Asks once. Returns 1, 0 in a passing state, -1. */
static int ask_state(const char *id, const char *directory, int timeout_ms,
		     enum container_state *state, pid_t *init_pid, struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	CLEANUP(text_release) struct text output = { 0 };
	struct process_options options = { PROCESS_DEFAULTS };
	char word[32];
	char number[16] = "";

	words_add_all(&argv, (const char *const[]){ "lxc-info", "-n", id, "-s", "-p", NULL });
	lxc_add_rcfile(&argv, directory);
	options.argv = (const char *const *)argv.items;
	if (process_run(&options, timeout_ms, &output, err) < 0)
		return error_context(err, "cannot learn the state of container '%s'", id);
	if (!find_line(text_string(&output), "State:", word, sizeof(word)))
		return error_set(err, "lxc-info does not tell the state of container '%s'", id);
	*init_pid = 0;
	if (strcmp(word, "STOPPED") == 0) {
		*state = CONTAINER_STOPPED;
		return 1;
	}
	if (strcmp(word, "RUNNING") != 0 && strcmp(word, "FROZEN") != 0)
		return 0;
	*state = *word == 'R' ? CONTAINER_RUNNING : CONTAINER_FROZEN;
	if (!find_line(text_string(&output), "PID:", number, sizeof(number)) || atoi(number) <= 0)
		return 0; /* it has just ended */
	*init_pid = (pid_t)atoi(number);
	return 1;
}

int lxc_state(const char *id, const char *directory, int timeout_ms, enum container_state *state,
	      pid_t *init_pid, struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;

	for (;;) {
		int64_t left = deadline - wait_clock();
		int known = ask_state(id, directory,
				      left > ANSWER_LEAST_MS ? (int)left : ANSWER_LEAST_MS, state,
				      init_pid, err);

		if (known != 0)
			return known < 0 ? -1 : 0;
		if (left <= 0)
			return error_set(err,
					 "container '%s' has been starting or stopping for %d s",
					 id, timeout_ms / 1000);
		if (wait_sleep(STATE_INTERVAL_MS, err) < 0)
			return -1;
	}
}

int lxc_wait_stopped(const struct container *container, bool stopped, int timeout_ms,
		     struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;

	for (;;) {
		int64_t left = deadline - wait_clock();
		enum container_state state;
		pid_t init_pid;

		if (lxc_state(container->id, container->directory,
			      left > ANSWER_LEAST_MS ? (int)left : ANSWER_LEAST_MS, &state,
			      &init_pid, err) < 0)
			return -1;
		if ((state == CONTAINER_STOPPED) == stopped)
			return 0;
		if (left <= 0)
			return error_set(err, "container '%s' is still %s after %d s",
					 container->id, container_state_name(state),
					 timeout_ms / 1000);
		if (wait_sleep(STATE_INTERVAL_MS, err) < 0)
			return -1;
	}
}

static int lxc_list(struct words *ids, struct error *err)
{
	CLEANUP(memory_release) char *home = lxc_home(err);
	struct dirent *entry;
	DIR *directory;

	if (home == NULL)
		return -1;
	directory = opendir(home);
	if (directory == NULL)
		return errno == ENOENT ? 0 : error_system(err, "cannot read '%s'", home);
	while ((entry = readdir(directory)) != NULL) {
		CLEANUP(memory_release)
		char *config = memory_format("%s/%s/%s", home, entry->d_name, LXC_CONFIG_NAME);
		struct error ignored;

		if (container_check_id(entry->d_name, &ignored) == 0 && file_exists(config))
			words_add(ids, entry->d_name);
	}
	closedir(directory);
	return 0;
}

static int lxc_stop(const struct container *container, int grace_seconds, struct error *err)
{
	CLEANUP(memory_release) char *grace = memory_format("%d", grace_seconds);
	CLEANUP(words_release) struct words argv = { 0 };
	struct process_options options = { PROCESS_DEFAULTS };
	struct error reason = { 0 };
	int result;

	words_add_all(&argv, (const char *const[]){ "lxc-stop", "-n", container->id, NULL });
	/* With "-t 0" lxc-stop asks for the shutdown and returns. */
	if (grace_seconds > 0)
		words_add_all(&argv, (const char *const[]){ "-t", grace, NULL });
	else
		words_add(&argv, "-k");
	lxc_add_rcfile(&argv, container->directory);
	options.argv = (const char *const *)argv.items;
	/* It fails for a container that has stopped meanwhile: the state decides. */
	result = process_run(&options, grace_seconds * 1000 + STOP_EXTRA_MS, NULL, &reason);
	if (result < 0 && reason.exit_status == EXIT_INTERRUPTED) {
		*err = reason;
		return -1;
	}
	if (lxc_wait_stopped(container, true, LXC_INFO_TIMEOUT_MS, err) == 0)
		return 0;
	if (result < 0 && err->exit_status == 0)
		*err = reason;
	error_context(err, "cannot stop container '%s'", container->id);
	return error_default(err, EXIT_VE_STOP);
}

static int lxc_fence(const struct container *container, struct error *err)
{
	return fence_raise(container->directory, LXC_CONFIG_NAME, err);
}

static int lxc_unfence(const struct container *container, struct error *err)
{
	return fence_lower(container->directory, LXC_CONFIG_NAME, err);
}

/* While lxc tears down a refused restore, lxc-info may not answer: it is asked again. */
static int lxc_settle(const struct container *container, int timeout_ms, struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;

	for (;;) {
		int64_t left = deadline - wait_clock();
		int slice = left < SETTLE_SLICE_MS ? (int)left : SETTLE_SLICE_MS;

		if (lxc_wait_stopped(container, true, slice > 0 ? slice : 0, err) == 0)
			return 0;
		if (left <= SETTLE_SLICE_MS || err->exit_status == EXIT_INTERRUPTED)
			return -1;
	}
}

const struct runtime runtime_lxc = {
	.name = "lxc",
	.usable = lxc_usable,
	.place = lxc_place,
	.describe = lxc_describe,
	.list = lxc_list,
	.autostarts = true,
	.start = lxc_start,
	.stop = lxc_stop,
	.rewrite = lxc_rewrite,
	.fence = lxc_fence,
	.unfence = lxc_unfence,
	.checkpointable = lxc_checkpointable,
	.dump_command = lxc_dump_command,
	.restore_command = lxc_restore_command,
	.plan_network = lxc_plan_network,
	.make_network = lxc_make_network,
	.plug_network = lxc_plug_network,
	.unplug_network = lxc_unplug_network,
	.may_map = lxc_may_map,
	.set_limits = lxc_set_limits,
	.settle = lxc_settle,
};
