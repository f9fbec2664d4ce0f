/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system call in another process of this node, as if that had done it: for what the kernel offers a
 * process only for itself.
 *
 * All threads of the process are stopped (system/inject_threads.h), so that none forks or closes descriptors
 * meanwhile; one of them makes the calls, from a system call instruction that is in its vdso: nothing in its
 * memory is changed. Then its registers and blocked signals are put back. Together with the stop this takes some
 * 0.1 ms.
 *
 * Refused, with nothing changed: a process that is none of this architecture's own kind (32 bit); one that has its
 * system calls sent to itself (syscall user dispatch); threads that are all in a restartable sequence (rseq: ask
 * again later). A seccomp filter does not see the calls.
 */
#ifndef SYSTEM_INJECT_H
#define SYSTEM_INJECT_H

#include <stdbool.h>

#include "base/error.h"
#include "system/inject_threads.h"

struct injection;

/* What is to be done while the process is stopped: called with what inject() got. */
typedef int inject_work(struct injection *injection, void *data, struct error *err);

/*
 * Calls work(), and returns what that returned. The threads are all that a process has, and stopped
 * (inject_threads_stop()): they are afterwards, too, and as they were.
 *
 * While work() runs nothing but SIGKILL may end the caller half-way, with which the process would go on with
 * wrong registers.
 */
int inject(struct inject_threads *threads, inject_work *work, void *data, struct error *err);

/* One call (SYS_…). *result is what the kernel returns: -errno on failure. It must be one that does not
 * sleep: it is waited for without limit. */
int inject_call(struct injection *injection, long number, const unsigned long arguments[6],
		long *result, struct error *err);

/* Is there code for this architecture? */
bool inject_is_possible(void);

#endif
