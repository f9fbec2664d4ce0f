// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for restoring the container on the destination and for holding it until the
 * switch. */
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/check.h"
#include "node/checkpoint.h"
#include "node/fill.h"
#include "node/frames.h"
#include "node/hook.h"
#include "node/restore.h"
#include "node/staging.h"
#include "node/undo.h"
#include "system/announce.h"
#include "system/cgroup.h"
#include "system/criu.h"
#include "system/processes.h"

/* How often it is looked whether what is restored can still get its memory. */
#define LOOK_INTERVAL_MS 100

static int make_network(struct host *host, const struct checkpoint *checkpoint, struct error *err)
{
	CLEANUP(network_plan_release) struct network_plan plan = { 0 };

	if (host->runtime->plan_network(checkpoint, &plan, err) < 0)
		return -1;
	for (size_t i = 0; i < plan.namespaces.count; i++)
		if (undo_push_path(host, UNDO_FAILURE, undo_remove_namespace,
				   plan.namespaces.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < plan.links.count; i++) {
		json_object *arguments = json_object_new_object();

		json_add_text(arguments, "name", plan.links.items[i]);
		if (undo_push(host, UNDO_FAILURE, undo_remove_link, arguments, err) < 0)
			return -1;
	}
	return host->runtime->make_network(checkpoint, err);
}

/* From here on its cgroup is known, for whoever has to kill what a killed criu left in it. */
static int note_held(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *freezer = NULL;
	json_object *arguments;

	if (cgroup_find_freezer(host->init_pid, &freezer, err) < 0)
		return -1;
	arguments = json_object_new_object();
	json_add_text(arguments, "freezer", freezer);
	if (undo_push(host, UNDO_FAILURE, undo_kill, arguments, err) < 0)
		return -1;
	return journal_set_state(&host->journal, JOURNAL_HELD, err);
}

/* criu has failed; where nobody brings memory any more that is why, and not what criu says. */
static int explain(struct host *host, int status, struct error *err)
{
	struct error reason;

	checkpoint_explain(host, "restore", "restore.log", status, EXIT_VE_START, err);
	if (fill_check(host, &reason) < 0)
		error_exit(err, EXIT_VE_START, "cannot restore container '%s': %.900s",
			   host->container.id, reason.text);
	return -1;
}

static int await(struct host *host, const char *stage, struct error *err)
{
	int status = 0;
	int reached = hook_wait(host, stage, CHECKPOINT_LIMIT_MS, &status, err);

	if (reached == 0)
		return explain(host, status, err);
	return reached < 0 ? -1 : 0;
}

static int start(struct host *host, bool memory_apart, struct error *err)
{
	CLEANUP(memory_release) char *work = checkpoint_work(host);
	CLEANUP(memory_release) char *hook = hook_path(host);
	CLEANUP(command_release) struct command command = { 0 };
	struct checkpoint checkpoint = checkpoint_of(host, work, hook);

	checkpoint.plug_later = true;
	checkpoint.memory_apart = memory_apart;
	if (host->runtime->restore_command(&checkpoint, &command, err) < 0)
		return -1;
	return checkpoint_start(host, &command, "restore", err);
}

int restore_arm(struct host *host, bool memory_apart, struct error *err)
{
	CLEANUP(memory_release) char *work = checkpoint_work(host);
	CLEANUP(memory_release) char *hook = hook_path(host);
	struct checkpoint checkpoint = checkpoint_of(host, work, hook);

	if (make_network(host, &checkpoint, err) < 0 ||
	    (memory_apart && fill_start(host, work, err) < 0) ||
	    undo_push(host, UNDO_FAILURE, undo_drop, json_object_new_object(), err) < 0)
		return -1;
	host->armed = true;
	return start(host, memory_apart, err) < 0 ? -1 : await(host, HOOK_GATE, err);
}

/* The images are there. Whoever waits for criu hears why it is not there any more. */
static int open_gate(struct host *host, struct error *err)
{
	return hook_waits(host) ? hook_answer(host, true, err) : 0;
}

static int set_limits(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *work = checkpoint_work(host);
	CLEANUP(memory_release) char *hook = hook_path(host);
	struct checkpoint checkpoint = checkpoint_of(host, work, hook);

	if (host->runtime->set_limits == NULL || host->runtime->set_limits(&checkpoint, err) == 0)
		return 0;
	return error_default(err, EXIT_VE_START);
}

int restore_container(struct host *host, bool memory_apart, struct error *err)
{
	const struct container *container = &host->container;

	if (criu_skip_duplicate_detection(host->images, err) < 0 ||
	    criu_give_images(host->images, container_root_uid(container),
			     container_root_gid(container), err) < 0 ||
	    (!host->armed && restore_arm(host, memory_apart, err) < 0) ||
	    open_gate(host, err) < 0 || await(host, HOOK_POST_RESTORE, err) < 0)
		return -1;
	if (set_limits(host, err) < 0)
		return -1;
	/* A power loss must not find the container here with files that never came to the disk. */
	if (staging_sync_end(host, err) < 0)
		return -1;
	if (fill_check(host, err) < 0)
		return error_context(err, "cannot restore container '%s'", host->container.id);
	return note_held(host, err);
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
 * where they are until we let them run, whatever becomes of criu. That it may have run is on the disk
 * before it does.
 */
static int let_run(struct host *host, pid_t init_pid, struct error *err)
{
	CLEANUP(memory_release) char *freezer = NULL;

	if (cgroup_find_freezer(init_pid, &freezer, err) < 0 ||
	    journal_set_state(&host->journal, JOURNAL_RUNNING, err) < 0 ||
	    cgroup_thaw(freezer, err) < 0)
		return -1;
	frames_repeat(host);
	announce_addresses(host, init_pid);
	return 1;
}

static int plug_network(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *work = checkpoint_work(host);
	CLEANUP(memory_release) char *hook = hook_path(host);
	struct checkpoint checkpoint = checkpoint_of(host, work, hook);

	return host->runtime->plug_network(&checkpoint, err);
}

/* Nothing of it has run: it ends, so that the source may have it back. */
static int kill_frozen(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *freezer = NULL;

	if (cgroup_find_freezer(host->init_pid, &freezer, err) < 0 ||
	    cgroup_kill(freezer, err) < 0 || cgroup_thaw(freezer, err) < 0)
		return -1;
	return host->runtime->settle(&host->container, CHECKPOINT_SETTLE_MS, err);
}

/*
 * What is restored can never get its memory, and nothing of it has run. criu refuses, if it can still be told to; later
 * it fails by itself, but may then wait for ever for threads that it has killed and nobody but itself can reap.
 */
static void give_up(struct host *host)
{
	struct error ignored;

	if (hook_waits(host))
		checkpoint_refuse(host, HOOK_POST_RESTORE, CHECKPOINT_SETTLE_MS, &ignored);
	processes_kill(host->run_directory, "criu");
	checkpoint_wait(host, &ignored);
	fill_await(host, &ignored);
}

/* As hook_wait(), until criu has let the processes go. */
static int await_resume(struct host *host, int *status, struct error *err)
{
	int64_t deadline = wait_clock() + CHECKPOINT_SETTLE_MS;
	int reached;

	do {
		reached = hook_wait(host, HOOK_POST_RESUME, LOOK_INTERVAL_MS, status, err);
		if (reached < 0 && fill_check(host, err) < 0) {
			give_up(host);
			break;
		}
	} while (reached < 0 && wait_clock() < deadline);
	return reached;
}

/*
 * Lets criu go, and then plugs the network in. Until then the node's bridge does not know the container:
 * its kernel would answer ARP although no task of it runs, and end its connections if it died now.
 * Returns as hook_wait().
 */
static int let_go(struct host *host, struct error *err)
{
	struct error ignored;
	int reached;
	int status = 0;

	/* The kernel sends as soon as criu lets it, before anybody can hear it. */
	frames_keep(host, host->init_pid, HELD_LEAVING);
	if (hook_answer(host, true, err) < 0)
		return -1;
	reached = await_resume(host, &status, err);
	if (reached == 0)
		checkpoint_explain(host, "resume", "restore.log", status, EXIT_VE_START, err);
	if (reached != 1 || plug_network(host, err) == 0)
		return reached;
	kill_frozen(host, &ignored);
	return -1;
}

/* What was in memory is lost; what is in its files is not. */
static int start_from_files(struct host *host, struct error *err)
{
	log_warning("container '%s' is restarted from its files: what it had in memory was lost",
		    host->container.id);
	if (journal_set_state(&host->journal, JOURNAL_RUNNING, err) < 0 ||
	    host->runtime->unfence(&host->container, err) < 0 ||
	    host->runtime->start(&host->container, err) < 0)
		return -1;
	return 1;
}

/* criu has failed, and may have left what the runtime does not understand. Nothing of it has run. */
static int remove_held(struct host *host, struct error *err)
{
	json_object *held = undo_find(&host->journal, undo_kill);

	if (held == NULL || restore_kill(host, held, err) < 0)
		return -1;
	return host->runtime->settle(&host->container, CHECKPOINT_SETTLE_MS, err);
}

int restore_resume(struct host *host, bool alone, struct error *err)
{
	CLEANUP(container_release) struct container now = { 0 };
	bool ran = host->journal.state == JOURNAL_RUNNING;
	int reached = 0;
	struct error failure;

	if (fill_check(host, &failure) < 0)
		give_up(host);
	else if (!hook_waits(host))
		reached = error_set(&failure, "the restored container is not held any more");
	else
		reached = let_go(host, &failure);
	if (reached == 1)
		return let_run(host, host->init_pid, err);
	/* It was not heard to run. Only the runtime's word that it does not makes it gone. */
	if (host->runtime->describe(host->container.id, &now, err) < 0 &&
	    (ran || reached != 0 || remove_held(host, err) < 0))
		return -1;
	if (now.id != NULL && now.state != CONTAINER_STOPPED) {
		/* An orphaned hook may have let criu go before the network was plugged in. */
		if (plug_network(host, &failure) < 0)
			log_warning("%s", failure.text);
		return let_run(host, now.init_pid, err);
	}
	if (ran || alone)
		return start_from_files(host, err);
	*err = failure;
	return 0;
}

int restore_kill(struct host *host, json_object *arguments, struct error *err)
{
	const char *freezer = json_get_path(arguments, "freezer", err);

	if (freezer == NULL ||
	    checkpoint_refuse(host, HOOK_POST_RESTORE, CHECKPOINT_SETTLE_MS, err) < 0 ||
	    cgroup_kill(freezer, err) < 0)
		return -1;
	return cgroup_thaw(freezer, err);
}

int restore_drop(struct host *host, json_object *arguments, struct error *err)
{
	(void)arguments;
	if (checkpoint_refuse(host, HOOK_POST_RESTORE, CHECKPOINT_SETTLE_MS, err) < 0)
		return -1;
	return host->runtime->settle(&host->container, CHECKPOINT_SETTLE_MS, err);
}

int restore_await_memory(struct host *host, struct error *err)
{
	struct error failure;

	if (fill_await(host, &failure) == 0)
		return 0;
	if (failure.exit_status != EXIT_VE_START) {
		*err = failure;
		return -1;
	}
	log_warning("%s", failure.text);
	/* Its processes have ended; whoever looked after them has still to notice. */
	if (host->runtime->settle(&host->container, CHECKPOINT_SETTLE_MS, err) < 0 ||
	    check_start_if_ended(host, "lost what it had in memory", err) < 0)
		return -1;
	fill_forget(host);
	return 0;
}

int restore_settle(struct host *host, struct error *err)
{
	return checkpoint_wait(host, err);
}
