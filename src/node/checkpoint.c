// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what a dump and a restore have in common: their directories, the command that
 * is under way, and why it failed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/checkpoint.h"
#include "node/gate.h"
#include "node/hook.h"
#include "node/undo.h"
#include "system/criu.h"
#include "system/criu_probe.h"
#include "system/processes.h"

#define LOG_LIMIT (16 << 20)

/* How often the processes of a dump or restore are looked for. */
#define LOOK_INTERVAL_MS 50

char *checkpoint_work(const struct host *host)
{
	const char *name = json_find_text(journal_header(&host->journal), "migration");

	return memory_format("%s/work-%s", host->run_directory, name != NULL ? name : "");
}

struct checkpoint checkpoint_of(const struct host *host, const char *work, const char *hook)
{
	return (struct checkpoint){
		.container = &host->container,
		.images = host->images,
		.work = work,
		.hook = hook,
		.nftables = host->nftables,
	};
}

/* A directory whose content is in memory, and gone when nobody has it open any more. */
static int mount_in_memory(struct host *host, const char *path, struct error *err)
{
	if (file_make_directory(path, 0700, err) < 0 ||
	    undo_push_path(host, UNDO_TEMPORARY, undo_unmount, path, err) < 0)
		return -1;
	if (mount("vzmigrate", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0700,size=100%") < 0)
		return error_system(err, "cannot mount a tmpfs at '%s'", path);
	return 0;
}

int checkpoint_prepare(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *work = checkpoint_work(host);

	free(host->images);
	host->images = memory_format("%s/images", host->run_directory);
	if (file_make_directory(work, 0700, err) < 0 ||
	    mount_in_memory(host, host->images, err) < 0)
		return -1;
	host->nftables = criu_warm();
	return hook_listen(host, err);
}

int checkpoint_prepare_memory(struct host *host, struct error *err)
{
	free(host->memory);
	host->memory = memory_format("%s/memory", host->run_directory);
	return mount_in_memory(host, host->memory, err);
}

int checkpoint_explain(struct host *host, const char *verb, const char *log_name, int status,
		       enum exit_status exit_status, struct error *err)
{
	CLEANUP(memory_release) char *log = memory_format("%s/%s", host->images, log_name);
	CLEANUP(memory_release) char *key = container_key(host->container.id);
	CLEANUP(memory_release)
	char *kept = memory_format("%s/%s-%s", LOG_DIRECTORY, key, log_name);
	CLEANUP(memory_release)
	char *output = memory_format("%s/%s.output", host->run_directory, verb);
	CLEANUP(text_release) struct text content = { 0 };
	CLEANUP(text_release) struct text cause = { 0 };
	struct error ignored;

	criu_log_cause(log, &cause);
	if (file_read(log, LOG_LIMIT, &content, &ignored) == 0 &&
	    file_make_directory(LOG_DIRECTORY, 0700, &ignored) >= 0 &&
	    file_write(kept, &content, 0600, &ignored) == 0)
		text_format(&cause, "%s(log: %s)", cause.length > 0 ? " " : "", kept);
	else if (file_read(output, LOG_LIMIT, &cause, &ignored) == 0 && cause.length > 0)
		cause.length = strlen(text_strip(cause.bytes));
	return error_exit(err, exit_status, "cannot %s container '%s': criu, status %d: %.600s",
			  verb, host->container.id, status, text_string(&cause));
}

int checkpoint_start(struct host *host, struct command *command, const char *verb,
		     struct error *err)
{
	CLEANUP(memory_release) char *path = gate_search_path(host);
	CLEANUP(memory_release)
	char *output = memory_format("%s/%s.output", host->run_directory, verb);
	CLEANUP(descriptor_close)
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct process_options options = {
		.argv = (const char *const *)command->argv.items,
		PROCESS_DEFAULTS,
		.new_session = true,
		.survives = true,
	};

	if (fd < 0)
		return error_system(err, "cannot make '%s'", output);
	if (gate_make(host, err) < 0)
		return -1;
	words_format(&command->environment, "PATH=%s", path);
	options.environment = (const char *const *)command->environment.items;
	options.output = fd;
	options.errors = fd;
	process_release(&host->checkpoint);
	return process_start(&host->checkpoint, &options, err);
}

int checkpoint_wait(struct host *host, struct error *err)
{
	if (host->checkpoint.pid == 0)
		return 0;
	if (process_wait(&host->checkpoint, CHECKPOINT_SETTLE_MS, err) < 0)
		return -1;
	return 0;
}

int checkpoint_refuse(struct host *host, const char *stage, int timeout_ms, struct error *err)
{
	/* What criu started for a dump may outlive it, and lock the network after that was cured. After a
	 * restore the container's monitor has the same environment. */
	CLEANUP(memory_release)
	char *work = strcmp(stage, HOOK_POST_DUMP) == 0 ? checkpoint_work(host) : NULL;
	int64_t deadline = wait_clock() + timeout_ms;
	struct error ignored;
	int status;

	for (;;) {
		if (host->hook >= 0)
			hook_answer(host, false, &ignored);
		process_ended(&host->checkpoint, &status);
		if (host->checkpoint.pid == 0 && !processes_name(host->run_directory, work))
			return 0;
		if (wait_clock() >= deadline)
			return error_set(err,
					 "criu of container '%s' does not end: look at the "
					 "processes that name '%s'",
					 host->container.id, host->run_directory);
		if (hook_take(host, stage, LOOK_INTERVAL_MS, err) < 0)
			return -1;
	}
}
