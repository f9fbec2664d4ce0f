// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the process that gives a restored container its memory: its start, its end, and what
 * becomes of the container when it fails. */
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "node/fill.h"
#include "node/undo.h"
#include "system/cgroup.h"
#include "system/lazy_socket.h"
#include "system/memory_guard.h"
#include "system/memory_record.h"
#include "system/sysctl_lease.h"

#define LOOK_INTERVAL_MS 20

/* How long the process may take to see that nobody needs it any more. */
#define END_LIMIT_MS 10000

/* In a container's user namespace criu is nobody in particular to the kernel, which lets only root open a
 * userfaultfd that notices the kernel's own accesses as well. */
static const struct sysctl_lease unprivileged = {
	.setting = "/proc/sys/vm/unprivileged_userfaultfd",
	.value = "1",
	.file = LOCK_DIRECTORY "/unprivileged_userfaultfd",
};

static char *record_path(const struct host *host)
{
	return memory_format("%s/memory.record", host->run_directory);
}

/* Its words name no path of the migration: whoever waits for the end of criu looks for those. */
static int start_guard(struct host *host, int listener, int record, int lease, struct error *err)
{
	CLEANUP(memory_release) char *program = process_own_path();
	CLEANUP(memory_release) char *listener_word = memory_format("%d", listener);
	CLEANUP(memory_release) char *record_word = memory_format("%d", record);
	CLEANUP(memory_release) char *lease_word = memory_format("%d", lease);
	const int keep[] = { listener, record, lease };
	struct process guard = PROCESS_NONE;
	struct process_options options = {
		.argv = (const char *const[]){ program, "--fill", listener_word, record_word,
					       lease_word, host->runtime->name, host->container.id,
					       NULL },
		PROCESS_DEFAULTS,
		.keep = keep,
		.keep_count = COUNT_OF(keep) - (lease < 0),
		.new_session = true,
		.survives = true,
	};
	int outcome = process_start(&guard, &options, err);

	process_release(&guard);
	return outcome;
}

int fill_start(struct host *host, const char *work, struct error *err)
{
	CLEANUP(memory_release) char *path = record_path(host);
	CLEANUP(descriptor_close) int listener = -1;
	CLEANUP(descriptor_close) int record = -1;
	CLEANUP(descriptor_close) int lease = -1;
	json_object *arguments = json_object_new_object();

	json_add_text(arguments, "work", work);
	if (undo_push(host, UNDO_FAILURE, undo_fill, arguments, err) < 0 ||
	    (container_root_uid(&host->container) != 0 &&
	     sysctl_lease_take(&unprivileged, &lease, err) < 0))
		return -1;
	record = memory_record_make(path, err);
	listener = record >= 0 ? lazy_socket_listen(work, err) : -1;
	return listener < 0 ? -1 : start_guard(host, listener, record, lease, err);
}

int fill_check(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *path = record_path(host);
	struct memory_record record;

	if (memory_record_read(path, &record, err) < 0)
		return -1;
	if (record.state == MEMORY_FAILING || record.state == MEMORY_FAILED)
		return error_set(err, "its memory cannot be filled in: %.500s", record.reason.text);
	return 0;
}

/* Waits until it is over, at most timeout_ms (-1: however long). */
static int await_end(struct host *host, int timeout_ms, struct memory_record *record,
		     struct error *err)
{
	CLEANUP(memory_release) char *path = record_path(host);
	int64_t deadline = wait_clock() + timeout_ms;

	for (;;) {
		if (memory_record_read(path, record, err) < 0)
			return -1;
		if (record->state != MEMORY_WORKING && record->state != MEMORY_FAILING)
			break;
		if (timeout_ms >= 0 && wait_clock() >= deadline)
			return error_set(err,
					 "processes of container '%s' still wait for memory that "
					 "they have not got: end them, and 'vzmigrate --fill' with "
					 "them",
					 host->container.id);
		if (wait_sleep(LOOK_INTERVAL_MS, err) < 0)
			return -1;
	}
	/* Whoever had it may have been killed. */
	sysctl_lease_settle(&unprivileged);
	return 0;
}

int fill_await(struct host *host, struct error *err)
{
	struct memory_record record = { 0 };

	if (await_end(host, -1, &record, err) < 0)
		return -1;
	if (record.state == MEMORY_NONE)
		return 0;
	if (record.state == MEMORY_FILLED) {
		log_debug("memory was filled in within %d ms: %lld KiB, of which %lld times "
			  "somebody waited for some",
			  (int)record.filled.milliseconds,
			  (long long)(record.filled.count.bytes / 1024),
			  (long long)record.filled.count.faults);
		return 0;
	}
	return error_exit(
		err, EXIT_VE_START, "the memory of container '%s' could not be filled in: %.500s",
		host->container.id,
		record.state == MEMORY_FAILED ? record.reason.text : "the restore was given up");
}

void fill_forget(struct host *host)
{
	CLEANUP(memory_release) char *path = record_path(host);

	unlink(path);
}

int fill_undo(struct host *host, json_object *arguments, struct error *err)
{
	const char *work = json_get_path(arguments, "work", err);
	struct memory_record record = { 0 };

	if (work == NULL)
		return -1;
	lazy_socket_hang_up(work);
	return await_end(host, END_LIMIT_MS, &record, err);
}

/* What the guard and its worker know of their container. */
struct filled {
	const char *id;
	const struct runtime *runtime;
	int lease;
};

/* From the journal; where it is gone the migration is over, and the runtime can be asked. Before the container is
 * held there is none, and criu, which nobody listens to any more, ends what it has made. The caller frees. */
static char *find_freezer(const struct filled *filled)
{
	CLEANUP(journal_release) struct journal journal = JOURNAL_NONE;
	CLEANUP(container_release) struct container now = { 0 };
	struct error ignored;
	int found = journal_read(&journal, filled->id, &ignored);
	json_object *noted = found > 0 ? undo_find(&journal, undo_kill) : NULL;
	const char *path = noted != NULL ? json_get_path(noted, "freezer", &ignored) : NULL;
	char *freezer = NULL;

	if (path != NULL)
		return memory_duplicate(path);
	if (found != 0 || filled->runtime == NULL ||
	    filled->runtime->describe(filled->id, &now, &ignored) <= 0 || now.init_pid == 0 ||
	    cgroup_find_freezer(now.init_pid, &freezer, &ignored) < 0)
		return NULL;
	return freezer;
}

static void end_container(void *data)
{
	CLEANUP(memory_release) char *freezer = find_freezer(data);
	struct error ignored;

	if (freezer != NULL && cgroup_kill(freezer, &ignored) == 0)
		cgroup_thaw(freezer, &ignored);
}

static void return_lease(void *data)
{
	const struct filled *filled = data;

	sysctl_lease_return(&unprivileged, filled->lease);
}

int fill_main(int argc, char **argv)
{
	CLEANUP(memory_release) char *directory = NULL;
	CLEANUP(memory_release) char *images = NULL;
	CLEANUP(memory_release) char *memory = NULL;
	struct memory_guard guard = { .end = end_container };
	struct filled filled;

	if (argc != 6)
		return EXIT_USAGE;
	directory = host_run_directory(argv[5]);
	images = memory_format("%s/images", directory);
	memory = memory_format("%s/memory", directory);
	filled = (struct filled){
		.lease = atoi(argv[3]),
		.runtime = runtime_by_name(argv[4]),
		.id = argv[5],
	};
	guard.record = atoi(argv[2]);
	guard.fill = (struct memory_fill){
		.listener = atoi(argv[1]),
		.images = images,
		.memory = memory,
		.criu_is_done = return_lease,
		.data = &filled,
	};
	return memory_guard(&guard);
}
