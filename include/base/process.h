/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child processes: the one place that forks. Programs are started by argument vector, never by a
 * shell, looked up on PATH, with a minimal environment (PATH, HOME, TERM, LC_ALL=C.UTF-8 and the
 * agent's socket), in their own process group, without any descriptor but 0, 1, 2 and those named.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/program.h"
#include "base/text.h"

struct process_options {
	const char *const *argv;
	const char *const *environment; /* NAME=VALUE added to the minimal one; NULL: nothing */
	int input;			/* borrowed; -1: /dev/null */
	int output;			/* borrowed; -1: collected in process.output */
	int errors;			/* borrowed; -1: the end of it kept in process.errors */
	const int *keep;		/* descriptors the program inherits under their numbers */
	size_t keep_count;
	bool new_session;    /* setsid() instead of an own process group */
	bool survives;	     /* process_release() leaves it running */
	size_t output_limit; /* of what is collected; 0: PROCESS_OUTPUT_LIMIT; more is an error */
};

#define PROCESS_DEFAULTS .input = -1, .output = -1, .errors = -1
#define PROCESS_OUTPUT_LIMIT (4 << 20)
#define PROCESS_ERRORS_KEPT 4096 /* bytes of standard error kept for the message */

/* Start from PROCESS_NONE: a struct of zeros would own descriptor 0. */
struct process {
	pid_t pid; /* 0: none, or waited for */
	int pidfd;
	int output_fd;
	int errors_fd;
	bool survives;
	size_t output_limit;
	struct text output;
	struct text errors;
	char *command; /* quoted, for messages */
};

#define PROCESS_NONE                                                                               \
	{                                                                                          \
		.pidfd = -1, .output_fd = -1, .errors_fd = -1                                      \
	}

/* A pair of connected sockets, both close-on-exec: a stream of a program's or a remote command's, and
 * our end of it. */
int process_stream(int *ours, int *theirs, struct error *err);

/* Fails when the program cannot be executed (not found: EXIT_RUNTIME). */
int process_start(struct process *process, const struct process_options *options,
		  struct error *err);

/*
 * Waits at most timeout_ms (-1: no limit) while collecting what it prints. Returns the exit status,
 * 128 + N for death by signal N; -1 when the time is up or the wait was interrupted: then the
 * process still runs, and the caller waits again, stops it or releases it.
 */
int process_wait(struct process *process, int timeout_ms, struct error *err);

/* Has it ended? Never waits. Returns 1 and the status when it has, else 0. */
int process_ended(struct process *process, int *status);

/* SIGTERM to its group, SIGKILL two seconds later; returns when it is gone. */
void process_stop(struct process *process);

/* Stops it unless it survives, and frees what the struct owns. */
void process_release(struct process *process);

/* The last line it wrote to standard error that says something, or "". */
const char *process_last_words(const struct process *process);

/*
 * Start, wait, release. A status other than 0 is an error with the last words; output (or NULL)
 * gets what was printed.
 */
int process_run(const struct process_options *options, int timeout_ms, struct text *output,
		struct error *err);

/*
 * Runs function(data) in a child of this program, which exits with what it returns; of the
 * descriptors above 2 only `keep` stay open. For parts that need a process of their own.
 */
int process_fork(struct process *process, int (*function)(void *data), void *data, const int *keep,
		 size_t keep_count, struct error *err);

/*
 * The same, but parent and child have one table of descriptors: what either opens or closes is open or closed
 * in both, and stays open when the other one dies, at whatever moment.
 */
int process_fork_sharing(struct process *process, int (*function)(void *data), void *data,
			 struct error *err);

#endif
