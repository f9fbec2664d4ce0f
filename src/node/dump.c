// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for dumping the container on the source and for holding it until the switch. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/check.h"
#include "node/checkpoint.h"
#include "node/dump.h"
#include "node/frames.h"
#include "node/gate.h"
#include "node/hook.h"
#include "node/manifest.h"
#include "node/throttle.h"
#include "node/undo.h"
#include "system/cgroup.h"
#include "system/criu.h"
#include "system/left_pages.h"
#include "system/processes.h"

#define FREEZE_LIMIT_MS 10000

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

int dump_arm(struct host *host, bool memory_apart, struct error *err)
{
	CLEANUP(memory_release) char *work = checkpoint_work(host);
	CLEANUP(memory_release) char *hook = hook_path(host);
	CLEANUP(command_release) struct command command = { 0 };
	CLEANUP(memory_release) char *gate = gate_path(host);
	CLEANUP(memory_release) char *records = gate_records(host);
	struct checkpoint checkpoint = checkpoint_of(host, work, hook);
	int status = 0;
	int reached;

	checkpoint.criu = gate;
	checkpoint.memory_apart = memory_apart;
	if (check_same_init(host, err) < 0 ||
	    (memory_apart && file_make_directory(records, 0700, err) < 0) ||
	    host->runtime->dump_command(&checkpoint, &command, err) < 0 ||
	    undo_push(host, UNDO_FAILURE, undo_disarm, json_object_new_object(), err) < 0 ||
	    checkpoint_start(host, &command, "checkpoint", err) < 0)
		return -1;
	reached = hook_wait(host, HOOK_PRE_DUMP, CHECKPOINT_LIMIT_MS, &status, err);
	if (reached == 0)
		return checkpoint_explain(host, "checkpoint", "dump.log", status, EXIT_VE_STOP,
					  err);
	return reached < 0 ? -1 : 0;
}

int dump_freeze(struct host *host, struct error *err)
{
	json_object *arguments;

	free(host->freezer);
	host->freezer = NULL;
	if (cgroup_find_freezer(host->container.init_pid, &host->freezer, err) < 0)
		return -1;
	arguments = json_object_new_object();
	json_add_text(arguments, "freezer", host->freezer);
	/* Frozen by us first: criu would wait for it in steps of 100 ms, and the images then say
	 * "frozen", so that the restored tasks do not run before we let them. */
	if (undo_push(host, UNDO_FAILURE, undo_resume, arguments, err) < 0 ||
	    cgroup_freeze(host->freezer, FREEZE_LIMIT_MS, err) < 0)
		return -1;
	/* Soon criu locks its network. */
	frames_keep(host, host->container.init_pid, HELD_ARRIVING);
	/* The images tell the destination of the limits. */
	return throttle_end(host, err);
}

int dump_start(struct host *host, struct error *err)
{
	return hook_answer(host, true, err);
}

static int await_hook(struct host *host, struct error *err)
{
	int status = 0;
	int reached = hook_wait(host, HOOK_POST_DUMP, CHECKPOINT_LIMIT_MS, &status, err);

	if (reached < 0)
		return -1;
	if (reached == 0)
		return checkpoint_explain(host, "checkpoint", "dump.log", status, EXIT_VE_STOP,
					  err);
	/* criu holds the tasks by ptrace; the freezer holds them should criu be killed. */
	if (cgroup_freeze(host->freezer, FREEZE_LIMIT_MS, err) < 0)
		return -1;
	return journal_set_state(&host->journal, JOURNAL_FROZEN, err);
}

/* What criu has not looked at comes into its images, too. */
static int complete_images(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *records = gate_records(host);
	int64_t left;

	if (left_pages_add(records, host->container.init_pid, host->images, &left, err) < 0)
		return -1;
	log_debug("of %" PRId64 " bytes of memory criu did not ask page by page", left);
	return 0;
}

int dump_await(struct host *host, json_object **dumped, struct error *err)
{
	json_object *images;

	if (await_hook(host, err) < 0 || complete_images(host, err) < 0)
		return -1;
	images = manifest_make(host->images, err);
	if (images == NULL)
		return -1;
	*dumped = json_object_new_object();
	json_object_object_add(*dumped, "images", images);
	return 0;
}

int dump_release(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *work = checkpoint_work(host);

	/* SIGKILL waits in every task before the thaw: none returns to its program. */
	if (host->freezer != NULL &&
	    (cgroup_kill(host->freezer, err) < 0 || cgroup_thaw(host->freezer, err) < 0))
		return -1;
	/* After a crash of the node, or when it was killed, no hook waits. */
	if (hook_waits(host) && hook_answer(host, true, err) < 0)
		return -1;
	if (checkpoint_wait(host, err) < 0 ||
	    processes_wait_for_end(host->run_directory, work, CHECKPOINT_SETTLE_MS, err) < 0)
		return -1;
	return host->runtime->settle(&host->container, CHECKPOINT_SETTLE_MS, err);
}

int dump_thaw(const char *freezer, const char *images, struct error *err)
{
	CLEANUP(memory_release) char *log = memory_format("%s/dump.log", images);
	struct error failure;
	int cured = 0;

	if (file_exists(log) && !criu_log_is_complete(log))
		cured = criu_cure(freezer, &failure);
	if (cured < 0)
		log_warning("%s", failure.text);
	/* criu itself had taken the freezer off. */
	if (cured > 0)
		log_warning("criu was killed in the middle of the dump, with %d connections in its "
			    "hands: the container's programs may have seen them fail",
			    cured);
	return cgroup_thaw(freezer, err);
}

int dump_disarm(struct host *host, json_object *arguments, struct error *err)
{
	(void)arguments;
	return checkpoint_refuse(host, HOOK_PRE_DUMP, CHECKPOINT_SETTLE_MS, err);
}

/* criu puts the freezer back as it found it: frozen, by us, so the thaw comes last. */
int dump_resume(struct host *host, json_object *arguments, struct error *err)
{
	const char *freezer = json_get_path(arguments, "freezer", err);

	if (freezer == NULL ||
	    checkpoint_refuse(host, HOOK_POST_DUMP, CHECKPOINT_LIMIT_MS, err) < 0 ||
	    dump_thaw(freezer, host->images, err) < 0)
		return -1;
	if (host->runtime->resumed != NULL && host->runtime->resumed(&host->container, err) < 0)
		return -1;
	return check_start_if_ended(host, "ended while it was being moved", err);
}
