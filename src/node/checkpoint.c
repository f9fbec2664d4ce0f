// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for dump and restore on one node and for holding them until the switch. */
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
#include "node/hook.h"
#include "node/undo.h"
#include "system/announce.h"
#include "system/cgroup.h"
#include "system/criu.h"

/* criu writes a container's memory at some 100 MB/s on slow machines; this is no limit for any real
 * one, it only ends a wait that would never end. */
#define DUMP_LIMIT_MS (3600 * 1000)
#define FREEZE_LIMIT_MS 10000
/* criu's own clean-up after an answer: unlock, kill, remove link remaps. */
#define SETTLE_LIMIT_MS 30000
#define LOG_LIMIT (16 << 20)

/* Its name is one migration's own, and with it all names that are derived from it. */
static char *work_directory(const struct host *host)
{
	const char *name = json_find_text(journal_header(&host->journal), "migration");

	return memory_format("%s/work-%s", host->run_directory, name != NULL ? name : "");
}

static struct checkpoint checkpoint_of(const struct host *host, const char *work, const char *hook)
{
	return (struct checkpoint){
		.container = &host->container,
		.images = host->images,
		.work = work,
		.hook = hook,
	};
}

static int make_network(struct host *host, const struct checkpoint *checkpoint, struct error *err)
{
	CLEANUP(words_release) struct words links = { 0 };

	if (host->runtime->plan_network(checkpoint, &links, err) < 0)
		return -1;
	for (size_t i = 0; i < links.count; i++) {
		json_object *arguments = json_object_new_object();

		json_add_text(arguments, "name", links.items[i]);
		if (undo_push(host, UNDO_FAILURE, undo_remove_link, arguments, err) < 0)
			return -1;
	}
	return host->runtime->make_network(checkpoint, err);
}

int checkpoint_prepare(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *work = work_directory(host);

	free(host->images);
	host->images = memory_format("%s/images", host->run_directory);
	if (file_make_directory(work, 0700, err) < 0 ||
	    file_make_directory(host->images, 0700, err) < 0 ||
	    undo_push_path(host, UNDO_TEMPORARY, undo_unmount, host->images, err) < 0)
		return -1;
	if (mount("vzmigrate", host->images, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0700,size=100%") < 0)
		return error_system(err, "cannot mount a tmpfs for the images at '%s'",
				    host->images);
	return hook_listen(host, err);
}

/* Copies criu's log to where it outlives the migration, and words the failure with its cause. */
static int explain(struct host *host, const char *verb, const char *log_name, int status,
		   enum exit_status exit_status, struct error *err)
{
	CLEANUP(memory_release) char *log = memory_format("%s/%s", host->images, log_name);
	CLEANUP(memory_release)
	char *kept = memory_format("%s/%s-%s", LOG_DIRECTORY, host->container.id, log_name);
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

/* Starts lxc-checkpoint or its like, detached from everything of ours. */
static int start_command(struct host *host, const struct command *command, const char *verb,
			 struct error *err)
{
	CLEANUP(memory_release)
	char *output = memory_format("%s/%s.output", host->run_directory, verb);
	CLEANUP(descriptor_close)
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct process_options options = {
		.argv = (const char *const *)command->argv.items,
		.environment = (const char *const *)command->environment.items,
		PROCESS_DEFAULTS,
		.new_session = true,
		.survives = true,
	};

	if (fd < 0)
		return error_system(err, "cannot make '%s'", output);
	options.output = fd;
	options.errors = fd;
	process_release(&host->checkpoint);
	return process_start(&host->checkpoint, &options, err);
}

/* Hours of copying may have passed: its pid may be somebody else's by now. */
static int check_same_init(struct host *host, struct error *err)
{
	CLEANUP(container_release) struct container now = { 0 };

	if (host->runtime->describe(host->container.id, &now, err) < 0)
		return -1;
	if (now.init_pid == 0 || now.init_pid != host->container.init_pid)
		return error_exit(err, EXIT_VE_STOP,
				  "container '%s' was stopped or restarted meanwhile",
				  host->container.id);
	return 0;
}

int checkpoint_dump(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *work = work_directory(host);
	CLEANUP(memory_release) char *hook = hook_path(host);
	CLEANUP(command_release) struct command command = { 0 };
	struct checkpoint checkpoint = checkpoint_of(host, work, hook);
	json_object *arguments;
	int reached;
	int status = 0;

	free(host->freezer);
	host->freezer = NULL;
	if (check_same_init(host, err) < 0 ||
	    cgroup_find_freezer(host->container.init_pid, &host->freezer, err) < 0 ||
	    host->runtime->dump_command(&checkpoint, &command, err) < 0)
		return -1;
	arguments = json_object_new_object();
	json_add_text(arguments, "freezer", host->freezer);
	/* Frozen by us first: criu would wait for it in steps of 100 ms, and the images then say
	 * "frozen", so that the restored tasks do not run before we let them. */
	if (undo_push(host, UNDO_FAILURE, undo_resume, arguments, err) < 0 ||
	    cgroup_freeze(host->freezer, FREEZE_LIMIT_MS, err) < 0 ||
	    start_command(host, &command, "checkpoint", err) < 0)
		return -1;
	reached = hook_wait(host, HOOK_POST_DUMP, DUMP_LIMIT_MS, &status, err);
	if (reached < 0)
		return -1;
	if (reached == 0)
		return explain(host, "checkpoint", "dump.log", status, EXIT_VE_STOP, err);
	/* criu holds the tasks by ptrace; the freezer holds them should criu be killed. */
	if (cgroup_freeze(host->freezer, FREEZE_LIMIT_MS, err) < 0)
		return -1;
	return journal_set_state(&host->journal, JOURNAL_FROZEN, err);
}

/* Waits for the end of the command under way, whatever its status. */
static int wait_for_end(struct host *host, struct error *err)
{
	if (host->checkpoint.pid == 0)
		return 0;
	if (process_wait(&host->checkpoint, SETTLE_LIMIT_MS, err) < 0)
		return -1;
	return 0;
}

int checkpoint_release(struct host *host, struct error *err)
{
	struct error failure;

	/* The destination announces the same addresses by now. */
	if (host->runtime->unplug_network(&host->container, &failure) < 0)
		log_warning("container '%s' could not be unplugged here: %s", host->container.id,
			    failure.text);
	/* SIGKILL waits in every task before the thaw: none returns to its program. */
	if (cgroup_kill(host->freezer, err) < 0 || cgroup_thaw(host->freezer, err) < 0 ||
	    hook_answer(host, true, err) < 0 || wait_for_end(host, err) < 0)
		return -1;
	return host->runtime->settle(&host->container, SETTLE_LIMIT_MS, err);
}

/*
 * criu cannot be stopped in the middle without leaving what it locked, so a dump that is under way
 * is led to its hook and refused there. criu then puts the freezer back as it found it: frozen, by
 * us, so the thaw comes last. Without our own criu (after a crash) the orphaned hook has refused
 * already, and what is left is the freezer.
 */
int checkpoint_resume_source(struct host *host, json_object *arguments, struct error *err)
{
	const char *freezer = json_get_path(arguments, "freezer", err);
	struct error ignored;
	int status;

	if (freezer == NULL)
		return -1;
	if (host->checkpoint.pid != 0 && host->hook < 0)
		hook_wait(host, HOOK_POST_DUMP, DUMP_LIMIT_MS, &status, &ignored);
	if (host->hook >= 0 && hook_answer(host, false, &ignored) == 0)
		wait_for_end(host, &ignored);
	return cgroup_thaw(freezer, err);
}

int checkpoint_restore(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *work = work_directory(host);
	CLEANUP(memory_release) char *hook = hook_path(host);
	CLEANUP(command_release) struct command command = { 0 };
	struct checkpoint checkpoint = checkpoint_of(host, work, hook);
	int reached;
	int status = 0;

	checkpoint.plug_later = true;
	if (criu_skip_duplicate_detection(host->images, err) < 0 ||
	    make_network(host, &checkpoint, err) < 0 ||
	    host->runtime->restore_command(&checkpoint, &command, err) < 0 ||
	    undo_push(host, UNDO_FAILURE, undo_drop, json_object_new_object(), err) < 0 ||
	    start_command(host, &command, "restore", err) < 0)
		return -1;
	reached = hook_wait(host, HOOK_POST_RESTORE, DUMP_LIMIT_MS, &status, err);
	if (reached < 0)
		return -1;
	if (reached == 0)
		return explain(host, "restore", "restore.log", status, EXIT_VE_START, err);
	return journal_set_state(&host->journal, JOURNAL_HELD, err);
}

/* Switches and neighbours learn at once where the container is now. */
static void announce_addresses(const struct host *host, pid_t init_pid)
{
	struct error failure;

	if (announce(init_pid, &failure) < 0)
		log_warning("container '%s': its addresses could not be announced: %s",
			    host->container.id, failure.text);
}

/*
 * The source dumped a frozen cgroup, so criu made this one frozen too: here as there the tasks stay
 * where they are until we let them run, whatever becomes of criu.
 */
static int let_run(struct host *host, pid_t init_pid, struct error *err)
{
	CLEANUP(memory_release) char *freezer = NULL;

	if (cgroup_find_freezer(init_pid, &freezer, err) < 0 || cgroup_thaw(freezer, err) < 0)
		return -1;
	announce_addresses(host, init_pid);
	return 1;
}

static int plug_network(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *work = work_directory(host);
	CLEANUP(memory_release) char *hook = hook_path(host);
	struct checkpoint checkpoint = checkpoint_of(host, work, hook);

	return host->runtime->plug_network(&checkpoint, err);
}

/*
 * Plugs the network in and lets criu go. Until then the node's bridge does not know the container:
 * its kernel would answer ARP although no task of it runs. Returns as hook_wait().
 */
static int let_go(struct host *host, struct error *err)
{
	struct error ignored;
	int reached;
	int status = 0;

	if (plug_network(host, err) < 0) {
		checkpoint_drop(host, NULL, &ignored);
		return -1;
	}
	if (hook_answer(host, true, err) < 0)
		return -1;
	reached = hook_wait(host, HOOK_POST_RESUME, SETTLE_LIMIT_MS, &status, err);
	if (reached == 0)
		explain(host, "resume", "restore.log", status, EXIT_VE_START, err);
	return reached;
}

int checkpoint_resume(struct host *host, struct error *err)
{
	CLEANUP(container_release) struct container now = { 0 };
	struct error failure;

	if (host->hook < 0)
		error_set(&failure, "the restored container is not held any more");
	else if (let_go(host, &failure) == 1)
		return let_run(host, host->init_pid, err);
	/* It was not heard to run. Only the runtime's word that it does not makes it gone. */
	if (host->runtime->describe(host->container.id, &now, err) < 0)
		return -1;
	if (now.id != NULL && now.state != CONTAINER_STOPPED) {
		/* An orphaned hook may have let criu go before the network was plugged in. */
		if (plug_network(host, &failure) < 0)
			log_warning("%s", failure.text);
		return let_run(host, now.init_pid, err);
	}
	*err = failure;
	return 0;
}

int checkpoint_drop(struct host *host, json_object *arguments, struct error *err)
{
	struct error ignored;
	int status;

	(void)arguments;
	if (host->checkpoint.pid != 0 && host->hook < 0)
		hook_wait(host, HOOK_POST_RESTORE, SETTLE_LIMIT_MS, &status, &ignored);
	if (host->hook >= 0 && hook_answer(host, false, err) < 0)
		return -1;
	if (wait_for_end(host, err) < 0)
		return -1;
	return host->runtime->settle(&host->container, SETTLE_LIMIT_MS, err);
}

int checkpoint_settle(struct host *host, struct error *err)
{
	return wait_for_end(host, err);
}
