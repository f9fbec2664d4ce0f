// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for waiting: the only poll, and what a signal does to it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/wait.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };

static volatile sig_atomic_t signal_seen;
static int shield_depth;
static sigset_t waiting_mask; /* what is blocked inside ppoll(): not the caught ones */
static bool catching;

static struct watch {
	bool used;
	int fd;
	int interval_ms;
	int64_t next;
	wait_check *check;
	void *data;
	bool failed; /* while shielded; told when the shield is gone */
	struct error failure;
} watches[WAIT_WATCHES];

int64_t wait_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t wait_clock(void)
{
	return wait_clock_ns() / 1000000;
}

static void note_signal(int number)
{
	signal_seen = number;
}

void wait_catch_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < COUNT_OF(caught); i++) {
		sigaction(caught[i], &action, NULL);
		sigaddset(&block, caught[i]);
	}
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	sigprocmask(SIG_BLOCK, &block, &waiting_mask);
	for (size_t i = 0; i < COUNT_OF(caught); i++)
		sigdelset(&waiting_mask, caught[i]);
	catching = true;
}

int wait_signal(void)
{
	return signal_seen;
}

void wait_shield(void)
{
	shield_depth++;
}

void wait_unshield(void)
{
	shield_depth--;
}

int wait_watch(int fd, int interval_ms, wait_check *check, void *data)
{
	for (int i = 0; i < WAIT_WATCHES; i++) {
		if (watches[i].used)
			continue;
		watches[i] = (struct watch){
			.used = true,
			.fd = fd,
			.interval_ms = interval_ms,
			.next = wait_clock() + interval_ms,
			.check = check,
			.data = data,
		};
		return i;
	}
	abort();
}

void wait_unwatch(int watch)
{
	watches[watch].used = false;
}

void wait_forget(void)
{
	for (int i = 0; i < WAIT_WATCHES; i++)
		watches[i].used = false;
	shield_depth = 0;
	signal_seen = 0;
	catching = false;
}

/* Runs the watches that are due; -1 when one failed and nothing shields the caller. */
static int run_watches(const struct pollfd *polled, const int *owner, nfds_t count,
		       struct error *err)
{
	for (int i = 0; i < WAIT_WATCHES; i++) {
		struct watch *watch = &watches[i];
		bool due;

		if (!watch->used)
			continue;
		due = wait_clock() >= watch->next;
		for (nfds_t k = 0; k < count; k++)
			due = due || (owner[k] == i && polled[k].revents != 0);
		if (due && !watch->failed) {
			watch->next = wait_clock() + watch->interval_ms;
			watch->failed = watch->check(watch->data, &watch->failure) < 0;
		}
		if (watch->failed && shield_depth == 0) {
			watch->failed = false;
			*err = watch->failure;
			return -1;
		}
	}
	return 0;
}

/* How long poll may sleep: until the deadline, or until the next watch is due. */
static int64_t next_event(int64_t deadline)
{
	int64_t next = deadline;

	for (int i = 0; i < WAIT_WATCHES; i++)
		if (watches[i].used && !watches[i].failed && (next < 0 || watches[i].next < next))
			next = watches[i].next;
	return next;
}

static int poll_until(struct pollfd *all, nfds_t count, int64_t deadline, struct error *err)
{
	int64_t next = next_event(deadline);
	int64_t now = wait_clock();
	struct timespec timeout = { 0 };

	if (next > now) {
		timeout.tv_sec = (next - now) / 1000;
		timeout.tv_nsec = (next - now) % 1000 * 1000000;
	}
	if (ppoll(all, count, next < 0 ? NULL : &timeout, catching ? &waiting_mask : NULL) < 0) {
		if (errno != EINTR)
			return error_system(err, "cannot wait");
		for (nfds_t i = 0; i < count; i++)
			all[i].revents = 0;
	}
	return 0;
}

static int interrupted(struct error *err)
{
	if (signal_seen == 0 || shield_depth > 0)
		return 0;
	return error_exit(err, EXIT_INTERRUPTED, "interrupted by %s",
			  signal_seen == SIGINT	   ? "^C"
			  : signal_seen == SIGTERM ? "SIGTERM"
						   : "SIGHUP");
}

int wait_for(struct pollfd *descriptors, nfds_t count, int timeout_ms, struct error *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : wait_clock() + timeout_ms;
	struct pollfd all[16 + WAIT_WATCHES];
	int owner[WAIT_WATCHES];

	if (count > COUNT_OF(all) - WAIT_WATCHES)
		abort();
	for (;;) {
		nfds_t extra = 0;
		int ready = 0;

		if (interrupted(err) < 0)
			return -1;
		if (count > 0)
			memcpy(all, descriptors, count * sizeof(*all));
		for (int i = 0; i < WAIT_WATCHES; i++) {
			if (!watches[i].used || watches[i].failed || watches[i].fd < 0)
				continue;
			all[count + extra] = (struct pollfd){ watches[i].fd, POLLIN, 0 };
			owner[extra++] = i;
		}
		if (poll_until(all, count + extra, deadline, err) < 0)
			return -1;
		for (nfds_t i = 0; i < count; i++) {
			descriptors[i].revents = all[i].revents;
			ready += all[i].revents != 0;
		}
		if (run_watches(all + count, owner, extra, err) < 0 || interrupted(err) < 0)
			return -1;
		if (ready > 0)
			return ready;
		if (deadline >= 0 && wait_clock() >= deadline)
			return 0;
	}
}

int wait_sleep(int milliseconds, struct error *err)
{
	return wait_for(NULL, 0, milliseconds, err) < 0 ? -1 : 0;
}
