/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one poll loop. Whoever waits, waits here, so that ^C, a lost peer and keepalives are noticed
 * whatever the program is waiting for. State is one per process: a process has one loop.
 */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Monotonic milliseconds; for durations and deadlines. The same in nanoseconds, for what is short. */
int64_t wait_clock(void);
int64_t wait_clock_ns(void);

/*
 * Waits until one of the descriptors is ready or timeout_ms have passed (-1: no limit). Returns
 * how many are ready (0: time is up), or -1: interrupted (EXIT_INTERRUPTED), or what a background
 * watch reported.
 */
int wait_for(struct pollfd *descriptors, nfds_t count, int timeout_ms, struct error *err);

/* Sleeps through wait_for(). */
int wait_sleep(int milliseconds, struct error *err);

/*
 * From here on SIGINT, SIGTERM and SIGHUP make wait_for() fail instead of ending the process, and
 * SIGPIPE is ignored. The signals are blocked outside wait_for(): nothing else sees EINTR.
 */
void wait_catch_signals(void);

/* The signal that came, or 0. */
int wait_signal(void);

/*
 * While shielded, signals and background failures are remembered but fail nothing: undo and
 * everything after the commit runs to its end. Calls nest.
 */
void wait_shield(void);
void wait_unshield(void);

/*
 * A background watch: `check` is called in wait_for() every interval_ms, and at once when fd
 * (or -1) has input. When it returns -1 the wait fails with *err. At most WAIT_WATCHES at a time.
 * Returns the watch's number for wait_unwatch().
 */
#define WAIT_WATCHES 16
typedef int wait_check(void *data, struct error *err);
int wait_watch(int fd, int interval_ms, wait_check *check, void *data);
void wait_unwatch(int watch);

/* In a child that goes on with our code: watches, shield and signals seen are the parent's. */
void wait_forget(void);

#endif
