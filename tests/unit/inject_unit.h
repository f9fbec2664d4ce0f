/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests of system calls in other processes share: children to be used, and a helper that uses them. */
#ifndef INJECT_UNIT_H
#define INJECT_UNIT_H

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/wait.h"
#include "process_unit.h"
#include "system/inject.h"

#define TIMEOUT_MS 200

static struct error err;

/* What a child and its test share. */
static struct shared {
	volatile int ready;
	volatile int result;
	volatile int seen_errno;
	volatile int64_t milliseconds;
	volatile uint64_t turns;
	volatile int signals;
} * shared;

static inline int share(void **state)
{
	if (remember_descriptors(state) < 0)
		return -1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED ? -1 : 0;
}

static inline int unshare_it(void **state)
{
	munmap(shared, sizeof(*shared));
	return compare_descriptors(state);
}

static inline pid_t start(void (*function)(void))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		function();
		_exit(0);
	}
	for (int tries = 0; tries < 5000 && shared->ready == 0; tries++)
		usleep(1000);
	assert_int_equal(shared->ready, 1);
	usleep(20000);
	return pid;
}

static inline void finish(pid_t pid, int expected)
{
	int status = -1;
	pid_t ended = 0;

	for (int tries = 0; tries < 10000 && ended == 0; tries++) {
		usleep(1000);
		ended = waitpid(pid, &status, WNOHANG);
	}
	if (ended == 0)
		kill(pid, SIGKILL);
	assert_int_equal(ended, pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
		fail_msg("the child ended with %#x", (unsigned int)status);
}

/* Goes on counting, until it is told to end. */
static inline void finish_busy(pid_t pid)
{
	uint64_t turns = shared->turns;

	usleep(50000);
	assert_true(shared->turns > turns);
	shared->result = 1;
	finish(pid, 0);
}

static inline void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

struct order {
	pid_t pid;
	int report;
	int calls;
};

struct report {
	long result;
	int64_t nanoseconds; /* from first to last call */
	struct error failure;
};

static inline int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int ask_for_pid(struct injection *injection, void *data, struct error *failure)
{
	const struct order *order = data;
	static const unsigned long none[6];
	long result = 0;

	for (int i = 0; i < order->calls; i++)
		if (inject_call(injection, SYS_getpid, none, &result, failure) < 0)
			return -1;
	return result == order->pid ? 0 : error_set(failure, "getpid() said %ld", result);
}

static inline int stop_and_inject(struct order *order, struct error *failure)
{
	CLEANUP(inject_threads_release) struct inject_threads threads = INJECT_THREADS_NONE;

	if (inject_threads_stop(&threads, order->pid, TIMEOUT_MS, failure) < 0)
		return -1;
	return inject(&threads, ask_for_pid, order, failure);
}

static inline int run_injection(void *data)
{
	struct order *order = data;
	struct report report = { 0 };
	int64_t began = now_ns();

	report.result = stop_and_inject(order, &report.failure);
	report.nanoseconds = now_ns() - began;
	return write(order->report, &report, sizeof(report)) != sizeof(report);
}

static inline struct report inject_calls(pid_t pid, int calls)
{
	CLEANUP(process_release) struct process helper = PROCESS_NONE;
	CLEANUP(descriptor_close) int reading = -1;
	CLEANUP(descriptor_close) int writing = -1;
	struct order order = { .pid = pid, .calls = calls };
	struct report report = { 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	reading = ends[0];
	writing = ends[1];
	order.report = writing;
	assert_int_equal(process_fork(&helper, run_injection, &order, &writing, 1, &err), 0);
	assert_int_equal(process_wait(&helper, 10000, &err), 0);
	assert_int_equal(read(reading, &report, sizeof(report)), sizeof(report));
	return report;
}

static inline void assert_injects(pid_t pid)
{
	struct report report = inject_calls(pid, 3);

	if (report.result < 0)
		fail_msg("%s", report.failure.text);
}

static inline void assert_refused(pid_t pid, const char *words)
{
	struct report report = inject_calls(pid, 1);

	assert_int_equal(report.result, -1);
	if (strstr(report.failure.text, words) == NULL)
		fail_msg("not '%s' but: %s", words, report.failure.text);
}

/* Until it is told to end. */
static inline void count_turns(void)
{
	shared->ready = 1;
	while (shared->result == 0)
		shared->turns++;
}

static inline void run_waiting(void)
{
	shared->ready = 1;
	for (;;)
		pause();
}

#define INJECT_TEST(function) cmocka_unit_test_setup_teardown(function, share, unshare_it)

#endif
