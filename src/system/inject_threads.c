// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for stopping the threads of another process, and for letting them go. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/inject_threads.h"
#include "system/proc.h"

/* How the kernel reports a system call with PTRACE_O_TRACESYSGOOD. */
#define SYSTEM_CALL_STOP (SIGTRAP | 0x80)

#define FOREVER (-1)

static struct inject_thread *find(const struct inject_threads *threads, pid_t id)
{
	for (size_t i = 0; i < threads->count; i++)
		if (threads->items[i].id == id)
			return &threads->items[i];
	return NULL;
}

static void forget(struct inject_threads *threads, const struct inject_thread *thread)
{
	size_t at = (size_t)(thread - threads->items);

	threads->items[at] = threads->items[--threads->count];
}

/* Opens what tells of the threads' stops; nothing may end this process from here on. */
static int open_notices(struct inject_threads *threads, struct error *err)
{
	sigset_t all;
	sigset_t child;

	sigfillset(&all);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_SETMASK, &all, &threads->mask);
	threads->notices = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (threads->notices >= 0)
		return 0;
	error_system(err, "cannot wait for its threads");
	sigprocmask(SIG_SETMASK, &threads->mask, NULL);
	return -1;
}

static int wait_for_notice(const struct inject_threads *threads, int64_t deadline,
			   struct error *err)
{
	struct pollfd ready = { threads->notices, POLLIN, 0 };
	struct signalfd_siginfo notice;
	int64_t left = deadline - wait_clock();
	int count;

	left = deadline == FOREVER ? -1 : left > 0 ? left : 0;
	count = wait_for(&ready, 1, (int)left, err);
	if (count <= 0)
		return count;
	while (read(threads->notices, &notice, sizeof(notice)) > 0)
		;
	return 1;
}

/*
 * The next thing that happens to a thread: returns 1 with its waitpid() status, or 0 when the time is up.
 * One that has ended is forgotten.
 */
static int next_event(struct inject_threads *threads, int64_t deadline, pid_t *id, int *status,
		      struct error *err)
{
	for (;;) {
		pid_t got = waitpid(-1, status, __WALL | WNOHANG);
		struct inject_thread *thread = got > 0 ? find(threads, got) : NULL;
		int outcome;

		*id = got;
		if (thread != NULL && !WIFSTOPPED(*status))
			forget(threads, thread);
		if (thread != NULL)
			return 1;
		if (got > 0)
			continue;
		if (got < 0 && errno == ECHILD)
			return error_set(err, "it has ended");
		outcome = wait_for_notice(threads, deadline, err);
		if (outcome <= 0)
			return outcome;
	}
}

static bool is_stop_event(int status)
{
	return WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP;
}

/* A signal that came first is delivered; the stop follows it. */
static void go_on(pid_t id, int status, enum __ptrace_request request)
{
	bool signal =
		WIFSTOPPED(status) && status >> 16 == 0 && WSTOPSIG(status) != SYSTEM_CALL_STOP;

	ptrace(request, id, 0, signal ? (long)WSTOPSIG(status) : 0L);
}

static int wait_until_stopped(struct inject_threads *threads, int64_t deadline, struct error *err)
{
	for (;;) {
		struct inject_thread *running = NULL;
		int outcome;
		int status;
		pid_t id;

		for (size_t i = 0; i < threads->count && running == NULL; i++)
			if (!threads->items[i].stopped)
				running = &threads->items[i];
		if (running == NULL)
			return 0;
		outcome = next_event(threads, deadline, &id, &status, err);
		if (outcome < 0)
			return -1;
		if (outcome == 0)
			return error_set(err,
					 "thread %d does not stop: it sleeps uninterruptibly "
					 "or is frozen",
					 (int)running->id);
		if (is_stop_event(status))
			find(threads, id)->stopped = true;
		else if (WIFSTOPPED(status))
			go_on(id, status, PTRACE_CONT);
	}
}

/* As in /proc/PID/stat; '\0': there is none. */
static char state_of(pid_t pid, pid_t thread)
{
	CLEANUP(memory_release) char *name = memory_format("task/%d/stat", (int)thread);
	CLEANUP(text_release) struct text content = { 0 };

	if (!proc_read(pid, name, &content))
		return '\0';
	return proc_state(&content);
}

/* Returns how many were seized: one or none. *gone becomes true when it has gone meanwhile. */
static int seize(struct inject_threads *threads, pid_t pid, pid_t thread, long options, bool *gone,
		 struct error *err)
{
	if (ptrace(PTRACE_SEIZE, thread, 0, options) < 0) {
		int reason = errno;
		char state = state_of(pid, thread);

		*gone |= state == '\0';
		/* A leader whose other threads go on without it is there, and is none. */
		if (state == '\0' || state == 'Z' || state == 'X')
			return 0;
		errno = reason;
		return error_system(err, "cannot trace thread %d (perhaps it is traced already)",
				    (int)thread);
	}
	threads->items = memory_resize(threads->items, threads->count + 1, sizeof(*threads->items));
	threads->items[threads->count++] = (struct inject_thread){ .id = thread };
	ptrace(PTRACE_INTERRUPT, thread, 0, 0);
	return 1;
}

/* Returns how many new ones there were. *gone says whether a thread went while the list was read: the list may have
 * ended with it. */
static int seize_all(struct inject_threads *threads, pid_t pid, long options, bool *gone,
		     struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/task", (int)pid);
	DIR *directory = opendir(path);
	struct dirent *entry;
	int added = 0;
	int outcome = 0;

	*gone = false;
	if (directory == NULL)
		return error_system(err, "cannot list its threads");
	while (outcome >= 0 && (entry = readdir(directory)) != NULL) {
		pid_t thread = (pid_t)atoi(entry->d_name);

		if (!isdigit((unsigned char)entry->d_name[0]) || find(threads, thread) != NULL)
			continue;
		outcome = seize(threads, pid, thread, options, gone, err);
		added += outcome > 0;
	}
	closedir(directory);
	return outcome < 0 ? -1 : added;
}

/* A filter could end the process for a call that it never makes. The kernel wants a privilege for this: it
 * is asked only where there is a filter. */
static long trace_options(pid_t pid)
{
	CLEANUP(text_release) struct text status = { 0 };
	bool filtered = !proc_read(pid, "status", &status) || proc_number(&status, "Seccomp:") != 0;

	return PTRACE_O_TRACESYSGOOD | (filtered ? PTRACE_O_SUSPEND_SECCOMP : 0);
}

static int stop_all(struct inject_threads *threads, pid_t pid, int timeout_ms, struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;
	long options = trace_options(pid);
	bool gone;
	int added;

	do {
		added = seize_all(threads, pid, options, &gone, err);
		if (added < 0 || wait_until_stopped(threads, deadline, err) < 0)
			return -1;
		if (added == 0 && gone && wait_clock() > deadline)
			return error_set(err, "its threads come and go too fast");
	} while (added > 0 || gone);
	return threads->count > 0 ? 0 : error_set(err, "it has ended");
}

int inject_threads_stop(struct inject_threads *threads, pid_t pid, int timeout_ms,
			struct error *err)
{
	if (open_notices(threads, err) < 0 || stop_all(threads, pid, timeout_ms, err) < 0)
		return error_context(err, "cannot stop process %d", (int)pid);
	return 0;
}

int inject_threads_step(struct inject_threads *threads, pid_t thread, struct error *err)
{
	pid_t id = thread;
	int status = 0;

	for (;;) {
		if (id == thread)
			go_on(thread, status, PTRACE_SYSCALL);
		if (next_event(threads, FOREVER, &id, &status, err) < 0)
			return -1;
		if (id != thread)
			continue;
		if (!WIFSTOPPED(status))
			return error_set(err, "thread %d has ended", (int)thread);
		if (WSTOPSIG(status) == SYSTEM_CALL_STOP)
			return 0;
		/* All but the stop signals are blocked: this one comes of the call, and is not its own. */
		if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP)
			return error_set(err, "thread %d got signal %d in place of a system call",
					 (int)thread, WSTOPSIG(status));
	}
}

void inject_threads_release(struct inject_threads *threads)
{
	for (size_t i = 0; i < threads->count; i++)
		if (threads->items[i].stopped)
			ptrace(PTRACE_DETACH, threads->items[i].id, 0, 0);
	free(threads->items);
	if (threads->notices >= 0)
		sigprocmask(SIG_SETMASK, &threads->mask, NULL);
	descriptor_close(&threads->notices);
	*threads = (struct inject_threads)INJECT_THREADS_NONE;
}
