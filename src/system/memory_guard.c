// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for memory that is missing never becoming zeros, whoever dies. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/wait.h"
#include "system/lazy_socket.h"
#include "system/memory_guard.h"
#include "system/memory_record.h"
#include "system/userfault.h"

/* How often it is tried to end the processes. */
#define END_INTERVAL_MS 50

/* As the links in /proc/self/fd name them. */
#define SOCKET "socket:["
#define USERFAULTFD "anon_inode:[userfaultfd]"

static pid_t guardian;

/* Calls visit() for each descriptor of ours that is such a thing, and returns the sum of what it returns. */
static int visit_descriptors(const char *kind, int (*visit)(int fd))
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int sum = 0;

	/* Rather too many than too few: nothing is given up because of it. */
	if (directory == NULL)
		return 1;
	while ((entry = readdir(directory)) != NULL) {
		char target[64] = "";
		ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (length > 0 && strncmp(target, kind, strlen(kind)) == 0)
			sum += visit(atoi(entry->d_name));
	}
	closedir(directory);
	return sum;
}

static int refuse(int fd)
{
	return lazy_socket_refuse(fd);
}

/* Does a process still need it? */
static int is_needed(int fd)
{
	struct error ignored;

	if (userfault_ask(fd, &ignored) != USERFAULT_GONE)
		return 1;
	close(fd);
	return 0;
}

/*
 * Nobody gives anybody anything any more. As long as criu has not finished nothing of the container runs, and now
 * nothing ever will, as criu fails to say so: then its own code may go on with whatever it finds, so that it comes to
 * where it fails. Otherwise whoever waits for memory waits, until it is ended.
 */
static void hold(const struct memory_guard *guard)
{
	bool restored = visit_descriptors(SOCKET, refuse) > 0 || *guard->fill.restored;
	struct error ignored;

	guard->fill.criu_is_done(guard->fill.data);
	while (restored && visit_descriptors(USERFAULTFD, is_needed) > 0) {
		guard->end(guard->fill.data);
		wait_sleep(END_INTERVAL_MS, &ignored);
	}
}

/* The processes are ended, and then it is told. */
static void give_up(const struct memory_guard *guard)
{
	const struct memory_record record = { .state = MEMORY_FAILED };

	hold(guard);
	memory_record_add(guard->record, &record);
}

/* The worker's life. */
static int run_worker(void *data)
{
	const struct memory_guard *guard = data;
	struct memory_record record = { .state = MEMORY_FAILING };

	wait_catch_signals();
	wait_shield();
	if (memory_fill(&guard->fill, &record.filled, &record.reason) == 0)
		record.state = record.filled.given_up ? MEMORY_GIVEN_UP : MEMORY_FILLED;
	memory_record_add(guard->record, &record);
	/* The guard, if it is still there, knows what to do. */
	if (record.state == MEMORY_FAILING && getppid() != guardian)
		give_up(guard);
	return record.state == MEMORY_FILLED ? EXIT_OK : EXIT_COPY;
}

/* The last to be killed when memory is short: what we hold is what the container needs. As many
 * descriptors as may be: each process of the container has one. */
static void raise_limits(void)
{
	struct rlimit limit;
	struct error ignored;

	/* Not every root may. */
	file_put("/proc/self/oom_score_adj", "-1000", &ignored);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* What the worker has said of its end; when it was killed, that it was. */
static enum memory_state judge_worker(const struct memory_guard *guard, int status)
{
	struct memory_record record;

	memory_record_look(guard->record, &record);
	if (record.state != MEMORY_WORKING)
		return record.state;
	/* It has done what it had to do, and could not say so. */
	if (status == EXIT_OK)
		return MEMORY_FILLED;
	record.state = MEMORY_FAILING;
	error_set(&record.reason, "the process that brings it has ended with status %d", status);
	memory_record_add(guard->record, &record);
	return record.state;
}

/* Until its end: forks the worker, and does what has to be done after it. */
static enum memory_state guard_worker(const struct memory_guard *guard)
{
	struct memory_record record = { .state = MEMORY_FAILING };
	struct process worker = PROCESS_NONE;
	struct error ignored;

	guardian = getpid();
	if (process_fork_sharing(&worker, run_worker, (void *)(uintptr_t)guard, &record.reason) < 0)
		memory_record_add(guard->record, &record);
	else
		record.state = judge_worker(guard, process_wait(&worker, -1, &ignored));
	if (record.state == MEMORY_FAILING)
		give_up(guard);
	return record.state;
}

int memory_guard(struct memory_guard *guard)
{
	wait_catch_signals();
	wait_shield();
	raise_limits();
	/* What the worker learns in its last moment must not be lost with it. */
	guard->fill.restored =
		mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (guard->fill.restored == MAP_FAILED)
		return EXIT_COPY;
	return guard_worker(guard) == MEMORY_FILLED ? EXIT_OK : EXIT_COPY;
}
