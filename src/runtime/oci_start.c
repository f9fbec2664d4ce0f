// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for starting OCI containers, stopping them, and seeing that nothing of one is left. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "runtime/oci.h"
#include "system/cgroup_named.h"

/* Hooks of the bundle may do anything; a start that takes longer has failed. */
#define START_TIMEOUT_MS 60000

/* From SIGKILL to the end: the kernel frees the memory. */
#define KILL_TIMEOUT_MS 30000

/* What is left of a container that ended is taken away at once. */
#define CLEAR_TIMEOUT_MS 5000

#define STATE_INTERVAL_MS 50
#define LOG_SIZE_MAX (1 << 20)

/* runc: `time="…" level=error msg="the cause"`; crun: the cause. The last line counts. */
static void last_cause(const char *log, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	char shown[400];
	struct error ignored;
	char *line;
	char *cause;

	if (file_read(log, LOG_SIZE_MAX, &content, &ignored) < 0 || content.length == 0)
		return;
	line = text_strip(content.bytes);
	if (strrchr(line, '\n') != NULL)
		line = strrchr(line, '\n') + 1;
	cause = strstr(line, "msg=\"");
	cause = cause != NULL ? cause + strlen("msg=\"") : line;
	if (text_ends_with(cause, "\""))
		cause[strlen(cause) - 1] = '\0';
	if (*cause == '\0')
		return;
	text_printable(shown, sizeof(shown), cause, strlen(cause));
	error_set(err, "%s", shown);
}

/* The container keeps the streams of the program that starts it: it gets none of ours. */
static int run_detached(const struct words *argv, struct error *err)
{
	CLEANUP(descriptor_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct process_options options = {
		.argv = (const char *const *)argv->items,
		.input = null,
		.output = null,
		.errors = null,
		.new_session = true,
	};

	if (null < 0)
		return error_system(err, "cannot open /dev/null");
	return process_run(&options, START_TIMEOUT_MS, NULL, err);
}

static int run_start(const struct container *container, const char *log, struct error *err)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	CLEANUP(words_release) struct words argv = { 0 };

	if (oci_config_of(container->directory, &config, err) < 0)
		return -1;
	words_add_all(&argv, (const char *const[]){ container->runtime, "--log", log, NULL });
	oci_add_cgroup_option(&argv, &config);
	words_add_all(&argv, (const char *const[]){ "run", "--detach", "--bundle",
						    container->directory, container->id, NULL });
	return run_detached(&argv, err);
}

/* Where the program binds the root directory for criu, while it restores: below its own directory, or the bundle. */
static void remove_restore_root(const char *directory)
{
	CLEANUP(memory_release) char *path = memory_format("%s/criu-root", directory);

	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		rmdir(path);
}

/* What a start or a restore that failed leaves: a directory without a record, and empty cgroups; and one that was
 * killed, what it has mounted. Returns how many cgroups are left, or -1. */
static int clear_remnants(const struct oci_program *program, const struct container *container,
			  struct error *err)
{
	CLEANUP(memory_release) char *root = memory_format("%s/%s", program->root, container->id);
	CLEANUP(memory_release) char *record = memory_format("%s/%s", root, program->record);
	CLEANUP(memory_release) char *cgroup = oci_cgroup(container);

	if (file_exists(record))
		return 0;
	remove_restore_root(root);
	remove_restore_root(container->directory);
	if (file_remove_tree(root, err) < 0)
		return -1;
	return cgroup != NULL ? cgroup_named_remove(cgroup, err) : 0;
}

/* How many processes are left; -1. */
static int count_processes(const struct container *container, struct error *err)
{
	CLEANUP(memory_release) char *cgroup = oci_cgroup(container);

	return cgroup != NULL ? cgroup_named_count(cgroup, err) : 0;
}

/* Returns 1 when nothing of it is left, 0 when something still runs, -1. */
static int look_for_end(const struct container *container, struct error *err)
{
	static const char *const forget[] = { "delete", "--force", NULL };
	const struct oci_program *program = oci_program_of(container);
	CLEANUP(oci_state_release) struct oci_state state = { 0 };
	int count;

	if (oci_state_read(program, container->id, &state, err) < 0)
		return -1;
	if (state.known && state.state != CONTAINER_STOPPED)
		return 0;
	if (state.known)
		return oci_run(program, forget, container->id, err) < 0 ? -1 : 0;
	count = count_processes(container, err);
	if (count != 0)
		return count < 0 ? -1 : 0;
	count = clear_remnants(program, container, err);
	return count < 0 ? -1 : count == 0;
}

/* While a refused restore is torn down the program may not answer: it is asked again. */
int oci_settle(const struct container *container, int timeout_ms, struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;

	for (;;) {
		int ended = look_for_end(container, err);

		if (ended > 0)
			return 0;
		if (ended < 0 && err->exit_status == EXIT_INTERRUPTED)
			return -1;
		if (wait_clock() >= deadline)
			return ended < 0 ? -1
					 : error_set(err, "container '%s' still runs after %d s",
						     container->id, timeout_ms / 1000);
		if (wait_sleep(STATE_INTERVAL_MS, err) < 0)
			return -1;
	}
}

/* What is left of an earlier one of that id would be in the way. */
static int start_anew(const struct container *container, const char *log, struct error *err)
{
	if (oci_settle(container, CLEAR_TIMEOUT_MS, err) < 0 ||
	    oci_make_network_of(container, log, err) < 0 || oci_plug_network_of(container, err) < 0)
		return -1;
	if (run_start(container, log, err) == 0)
		return 0;
	if (err->exit_status == 0)
		last_cause(log, err);
	return -1;
}

int oci_start(const struct container *container, struct error *err)
{
	CLEANUP(memory_release)
	char *log = memory_format("/run/vzmigrate-start.%s.%d.log", container->id, (int)getpid());
	int result;

	err->exit_status = 0;
	unlink(log);
	result = start_anew(container, log, err);
	unlink(log);
	if (result == 0)
		return 0;
	error_context(err, "cannot start container '%s'", container->id);
	return error_default(err, EXIT_VE_START);
}

/* Waits until its first process has ended; returns 1 when it has, 0 when the time is up. */
static int wait_for_end(const struct container *container, int timeout_ms, struct error *err)
{
	const struct oci_program *program = oci_program_of(container);
	int64_t deadline = wait_clock() + timeout_ms;

	for (;;) {
		CLEANUP(oci_state_release) struct oci_state state = { 0 };

		if (oci_state_read(program, container->id, &state, err) < 0)
			return -1;
		if (!state.known || state.state == CONTAINER_STOPPED)
			return 1;
		if (wait_clock() >= deadline)
			return 0;
		if (wait_sleep(STATE_INTERVAL_MS, err) < 0)
			return -1;
	}
}

/* A signal that comes too late finds nobody, which is no failure: the state decides. */
static int signal_and_wait(const struct container *container, const char *signal, int timeout_ms,
			   struct error *err)
{
	const char *const words[] = { "kill", signal, NULL };
	struct error failure;
	int ended;

	if (oci_run(oci_program_of(container), words, container->id, &failure) < 0)
		log_debug("%s", failure.text);
	ended = wait_for_end(container, timeout_ms, err);
	if (ended == 0)
		error_set(err, "it has not ended %d s after SIG%s", timeout_ms / 1000, signal);
	return ended;
}

int oci_stop(const struct container *container, int grace_seconds, struct error *err)
{
	int ended = 0;

	err->exit_status = 0;
	if (grace_seconds > 0)
		ended = signal_and_wait(container, "TERM", grace_seconds * 1000, err);
	if (ended == 0)
		ended = signal_and_wait(container, "KILL", KILL_TIMEOUT_MS, err);
	/* Its addresses are not to answer here any more. */
	if (ended == 1 && oci_settle(container, KILL_TIMEOUT_MS, err) == 0 &&
	    oci_hush_network(container, err) == 0)
		return 0;
	error_context(err, "cannot stop container '%s'", container->id);
	return error_default(err, EXIT_VE_STOP);
}
