// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for child processes: the only fork, and where they become other programs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/event.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/program.h"
#include "base/wait.h"

/* How long a process that was asked to end may take before it is killed. */
#define STOP_GRACE_MS 2000

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Closes everything above 2 but the kept descriptors, which get these flags: FD_CLOEXEC or none. */
static void close_others(const int *keep, size_t keep_count, int flags)
{
	unsigned int first = 3;

	for (;;) {
		unsigned int next = ~0U;

		for (size_t i = 0; i < keep_count; i++)
			if (keep[i] >= (int)first && (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		if (next > first)
			syscall(SYS_close_range, first, next == ~0U ? next : next - 1, 0);
		if (next == ~0U)
			return;
		fcntl((int)next, F_SETFD, flags);
		first = next + 1;
	}
}

/* In the child. Moves the three standard descriptors into place whatever their numbers were. */
static int place_standard_descriptors(const int from[3])
{
	int safe[3];

	for (int i = 0; i < 3; i++) {
		safe[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
		if (safe[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(safe[i], i) < 0)
			return -1;
	return 0;
}

struct start {
	const struct process_options *options;
	const char *program;
	char *const *environment;
	int standard[3];
	int report; /* gets errno when exec fails; closed by exec */
};

static void child_main(const struct start *start)
{
	const struct process_options *options = start->options;
	CLEANUP(memory_release) char *keep_memory = NULL;
	int *keep;
	int saved_errno;

	keep_memory = memory_allocate(options->keep_count + 1, sizeof(int));
	keep = (int *)(void *)keep_memory;
	reset_signals();
	if (options->new_session)
		setsid();
	else
		setpgid(0, 0);
	if (place_standard_descriptors(start->standard) == 0) {
		if (options->keep_count > 0)
			memcpy(keep, options->keep, options->keep_count * sizeof(int));
		keep[options->keep_count] = start->report;
		close_others(keep, options->keep_count + 1, 0);
		fcntl(start->report, F_SETFD, FD_CLOEXEC);
		execve(start->program, (char *const *)(void *)(uintptr_t)options->argv,
		       start->environment);
	}
	saved_errno = errno;
	_exit(write(start->report, &saved_errno, sizeof(saved_errno)) < 0 ? 126 : 127);
}

/* The parent's side of one collected stream; *child is the end for the child. */
static int open_stream(int given, int *parent, int *child, struct error *err)
{
	int ends[2];

	*parent = -1;
	*child = -1;
	if (given >= 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, "cannot make a pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*parent = ends[0];
	*child = ends[1];
	return 0;
}

static int take_pid(struct process *process, pid_t pid, struct error *err)
{
	process->pid = pid;
	process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process->pidfd < 0) {
		error_system(err, "cannot watch process %d", (int)pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		process->pid = 0;
		return -1;
	}
	fcntl(process->pidfd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int exec_failure(struct process *process, int report, const char *program, struct error *err)
{
	int reason = 0;
	ssize_t got;

	do
		got = read(report, &reason, sizeof(reason));
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(reason))
		return 0;
	waitpid(process->pid, NULL, 0);
	process->pid = 0;
	errno = reason;
	return error_system(err, "cannot execute '%s'", program);
}

int process_stream(int *ours, int *theirs, struct error *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_system(err, "cannot make a socket pair");
	*ours = ends[0];
	*theirs = ends[1];
	return 0;
}

int process_start(struct process *process, const struct process_options *options, struct error *err)
{
	CLEANUP(words_release) struct words environment = { 0 };
	CLEANUP(memory_release) char *program = process_find(options->argv[0]);
	CLEANUP(descriptor_close) int null_fd = -1;
	CLEANUP(descriptor_close) int output = -1;
	CLEANUP(descriptor_close) int errors = -1;
	CLEANUP(descriptor_close) int report_read = -1;
	CLEANUP(descriptor_close) int report_write = -1;
	struct start start = { .options = options };
	pid_t pid;

	*process = (struct process)PROCESS_NONE;
	if (program == NULL)
		return error_exit(err, EXIT_RUNTIME, "cannot find the program '%s' on PATH",
				  options->argv[0]);
	process->command = words_quote(options->argv);
	process->survives = options->survives;
	process->output_limit =
		options->output_limit > 0 ? options->output_limit : PROCESS_OUTPUT_LIMIT;
	log_debug("run: %s", process->command);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return error_system(err, "cannot open /dev/null");
	if (open_stream(options->output, &process->output_fd, &output, err) < 0 ||
	    open_stream(options->errors, &process->errors_fd, &errors, err) < 0 ||
	    open_stream(-1, &report_read, &report_write, err) < 0)
		return -1;
	fcntl(report_read, F_SETFL, 0);
	program_environment(&environment, options->environment);
	start.program = program;
	start.environment = environment.items;
	start.standard[0] = options->input >= 0 ? options->input : null_fd;
	start.standard[1] = options->output >= 0 ? options->output : output;
	start.standard[2] = options->errors >= 0 ? options->errors : errors;
	start.report = report_write;
	pid = fork();
	if (pid < 0)
		return error_system(err, "cannot start '%s'", options->argv[0]);
	if (pid == 0)
		child_main(&start);
	if (take_pid(process, pid, err) < 0)
		return -1;
	descriptor_close(&report_write);
	return exec_failure(process, report_read, options->argv[0], err);
}

/* After a fork, in both: the child goes on with function(data). */
static int go_on(struct process *process, pid_t pid, int (*function)(void *data), void *data,
		 struct error *err)
{
	*process = (struct process)PROCESS_NONE;
	if (pid < 0)
		return error_system(err, "cannot fork");
	if (pid == 0) {
		reset_signals();
		setpgid(0, 0);
		wait_forget();
		/* Whoever listened is the parent's, and its descriptor may not be open here. */
		log_set_sink(NULL, NULL);
		event_set_sink(NULL, NULL);
		_exit(function(data));
	}
	process->command = memory_duplicate("part of vzmigrate");
	return take_pid(process, pid, err);
}

int process_fork(struct process *process, int (*function)(void *data), void *data, const int *keep,
		 size_t keep_count, struct error *err)
{
	pid_t pid = fork();

	if (pid == 0)
		close_others(keep, keep_count, FD_CLOEXEC);
	return go_on(process, pid, function, data, err);
}

int process_fork_sharing(struct process *process, int (*function)(void *data), void *data,
			 struct error *err)
{
	const struct clone_args how = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };

	return go_on(process, (pid_t)syscall(SYS_clone3, &how, sizeof(how)), function, data, err);
}

/* Keeps the last PROCESS_ERRORS_KEPT bytes. */
static void keep_end(struct text *text)
{
	size_t drop;

	if (text->length <= PROCESS_ERRORS_KEPT)
		return;
	drop = text->length - PROCESS_ERRORS_KEPT;
	memmove(text->bytes, text->bytes + drop, PROCESS_ERRORS_KEPT + 1);
	text->length = PROCESS_ERRORS_KEPT;
}

/* Reads what is there; closes the stream at its end. */
static int drain(int *fd, struct text *into, bool only_end, size_t limit, struct error *err)
{
	char bytes[16384];

	while (*fd >= 0) {
		ssize_t got = read(*fd, bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got <= 0) {
			descriptor_close(fd);
			return 0;
		}
		if (!only_end && into->length + (size_t)got > limit)
			return error_set(err, "it printed more than %zu bytes", limit);
		text_append(into, bytes, (size_t)got);
		if (only_end)
			keep_end(into);
	}
	return 0;
}

static int drain_both(struct process *process, struct error *err)
{
	if (drain(&process->output_fd, &process->output, false, process->output_limit, err) < 0)
		return error_context(err, "'%s'", process->command);
	return drain(&process->errors_fd, &process->errors, true, 0, err);
}

int process_ended(struct process *process, int *status)
{
	siginfo_t info = { 0 };

	if (process->pid == 0)
		return 0;
	if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return 0;
	process->pid = 0;
	*status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 1;
}

int process_wait(struct process *process, int timeout_ms, struct error *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : wait_clock() + timeout_ms;

	for (;;) {
		struct pollfd ready[3] = { { process->pidfd, POLLIN, 0 },
					   { process->output_fd, POLLIN, 0 },
					   { process->errors_fd, POLLIN, 0 } };
		int64_t left = deadline - wait_clock();
		int status;
		int count;

		left = deadline < 0 ? -1 : left < 0 ? 0 : left;
		count = wait_for(ready, 3, (int)left, err);
		if (count < 0)
			return -1;
		if (drain_both(process, err) < 0)
			return -1;
		if (process_ended(process, &status)) {
			/* What it left in the pipes; a daemon it started may keep them open. */
			if (drain_both(process, err) < 0)
				return -1;
			log_trace("%s: exit status %d", process->command, status);
			return status;
		}
		if (count == 0)
			return error_set(err, "'%s' did not finish within %d.%d s",
					 process->command, timeout_ms / 1000,
					 timeout_ms % 1000 / 100);
	}
}

void process_stop(struct process *process)
{
	struct error ignored;

	if (process->pid == 0)
		return;
	wait_shield();
	kill(-process->pid, SIGTERM);
	kill(process->pid, SIGTERM);
	if (process_wait(process, STOP_GRACE_MS, &ignored) < 0 && process->pid != 0) {
		kill(-process->pid, SIGKILL);
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		process->pid = 0;
	}
	wait_unshield();
}

void process_release(struct process *process)
{
	if (!process->survives)
		process_stop(process);
	descriptor_close(&process->pidfd);
	descriptor_close(&process->output_fd);
	descriptor_close(&process->errors_fd);
	text_release(&process->output);
	text_release(&process->errors);
	memory_release(&process->command);
	*process = (struct process)PROCESS_NONE;
}

const char *process_last_words(const struct process *process)
{
	char *line;

	if (process->errors.length == 0)
		return "";
	line = text_strip(process->errors.bytes);
	return strrchr(line, '\n') != NULL ? strrchr(line, '\n') + 1 : line;
}

int process_run(const struct process_options *options, int timeout_ms, struct text *output,
		struct error *err)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	int status;

	if (process_start(&process, options, err) < 0)
		return -1;
	status = process_wait(&process, timeout_ms, err);
	if (status < 0)
		return -1;
	if (status != 0) {
		const char *words = process_last_words(&process);

		return error_set(err, "'%s' failed with status %d%s%s", process.command, status,
				 *words != '\0' ? ": " : "", words);
	}
	if (output != NULL)
		text_append(output, text_string(&process.output), process.output.length);
	return 0;
}
