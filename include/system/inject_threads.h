/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All threads of another process, stopped by ptrace and let go again: what system/inject.h works on.
 *
 * It is done by SEIZE and INTERRUPT, which no signal shows. A system call that was interrupted goes on when they are
 * let go; but those that the kernel never restarts say EINTR, which a program that uses them has to expect anyway
 * (signal(7), "Interruption of system calls and library functions by stop signals": epoll_wait, semop, sigtimedwait,
 * sockets with a time limit; so they do when criu freezes it). On aarch64, sleeps and time limits that are relative
 * begin anew (there the kernel forgets which restart it had decided on before a tracer sees it).
 *
 * Refused, with nothing changed: a process that is traced already, and one of which a thread does not stop in time,
 * because it sleeps uninterruptibly or is frozen.
 *
 * To be used in a child (process_fork()) that has no children itself and ends afterwards: only its end frees a
 * thread that was asked to stop and did not. While there are any threads all signals are blocked in it, and it
 * waits for SIGCHLD. When it is killed all go on.
 */
#ifndef SYSTEM_INJECT_THREADS_H
#define SYSTEM_INJECT_THREADS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/types.h>

#include "base/error.h"

struct inject_thread {
	pid_t id;
	bool stopped;
};

/* Start from INJECT_THREADS_NONE. */
struct inject_threads {
	struct inject_thread *items;
	size_t count;
	int notices;   /* SIGCHLD; -1 */
	sigset_t mask; /* this process's, before */
};

#define INJECT_THREADS_NONE                                                                        \
	{                                                                                          \
		.notices = -1                                                                      \
	}

/* Returns when every thread, those that were created meanwhile too, has stopped. */
int inject_threads_stop(struct inject_threads *threads, pid_t pid, int timeout_ms,
			struct error *err);

/* Lets one thread go on to the next beginning or end of a system call; waits for it without limit. */
int inject_threads_step(struct inject_threads *threads, pid_t thread, struct error *err);

/* Lets all go that are stopped. The kernel treats each as one that a signal has woken: it looks at the registers
 * that it has now, and restarts the system call that was interrupted. */
void inject_threads_release(struct inject_threads *threads);

#endif
