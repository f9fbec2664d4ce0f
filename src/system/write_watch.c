// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for userfaultfds of other processes, and for holding them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "system/inject.h"
#include "system/page_scan.h"
#include "system/write_watch.h"

/* What older headers lack (include/uapi/linux/userfaultfd.h). Scanning insists on both: protected pages of
 * which there is nothing yet are remembered. */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

/* Longer than this a thread that sleeps uninterruptibly is not waited for, as the others stand still. */
#define STOP_TIMEOUT_MS 20

/* The helper needs this long only when the machine hardly runs at all. */
#define HELPER_TIMEOUT_MS 10000

static int agree(int fault)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
	};

	return ioctl(fault, UFFDIO_API, &api);
}

bool write_watch_is_possible(void)
{
	CLEANUP(descriptor_close)
	int fault = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	return fault >= 0 && agree(fault) == 0 && page_scan_is_fast() && inject_is_possible();
}

struct order {
	pid_t pid;
	bool asks;  /* for a userfaultfd */
	int socket; /* to whoever wants it held */
};

struct answer {
	bool held;
	int fault; /* its number in the helper; -1: none */
	struct error failure;
};

struct fetch {
	int process; /* pidfd */
	int fault;
};

/* Done by the process that is stopped. */
static int fetch(struct injection *injection, void *data, struct error *err)
{
	const unsigned long flags[6] = { O_CLOEXEC | UFFD_USER_MODE_ONLY };
	unsigned long number[6] = { 0 };
	struct fetch *fetch = data;
	struct error ignored;
	long result;

	if (inject_call(injection, SYS_userfaultfd, flags, &result, err) < 0)
		return -1;
	if (result < 0) {
		errno = (int)-result;
		return error_system(err, "it gets no userfaultfd");
	}
	fetch->fault = (int)syscall(SYS_pidfd_getfd, fetch->process, (int)result, 0);
	number[0] = (unsigned long)result;
	if (fetch->fault < 0) {
		error_system(err, "its userfaultfd cannot be fetched");
		inject_call(injection, SYS_close, number, &result, &ignored);
		return -1;
	}
	return inject_call(injection, SYS_close, number, &result, err);
}

static int ask(struct inject_threads *threads, pid_t pid, int *fault, struct error *err)
{
	CLEANUP(descriptor_close) int process = (int)syscall(SYS_pidfd_open, pid, 0);
	struct fetch fetched = { .process = process, .fault = -1 };

	if (process < 0)
		return error_system(err, "cannot watch process %d", (int)pid);
	if (inject(threads, fetch, &fetched, err) < 0)
		return error_context(err, "cannot use process %d", (int)pid);
	*fault = fetched.fault;
	return 0;
}

/* The helper: it lets go, and ends, when its socket is closed over there. */
static int help(void *data)
{
	CLEANUP(inject_threads_release) struct inject_threads threads = INJECT_THREADS_NONE;
	const struct order *order = data;
	struct answer answer = { .fault = -1 };
	char nothing;

	answer.held =
		inject_threads_stop(&threads, order->pid, STOP_TIMEOUT_MS, &answer.failure) == 0 &&
		(!order->asks || ask(&threads, order->pid, &answer.fault, &answer.failure) == 0);
	if (!answer.held)
		inject_threads_release(&threads);
	if (write(order->socket, &answer, sizeof(answer)) != sizeof(answer))
		return 1;
	return read(order->socket, &nothing, 1) < 0;
}

static int hear(const struct write_hold *hold, struct answer *answer, struct error *err)
{
	struct pollfd ready = { hold->socket, POLLIN, 0 };
	int count = wait_for(&ready, 1, HELPER_TIMEOUT_MS, err);

	if (count < 0)
		return -1;
	if (count == 0)
		return error_set(err, "the stop of a process takes too long");
	if (read(hold->socket, answer, sizeof(*answer)) != sizeof(*answer))
		return error_set(err, "who was to stop a process has died");
	if (answer->held)
		return 0;
	*err = answer->failure;
	return -1;
}

static int take(const struct write_hold *hold, int number, int *fault, struct error *err)
{
	CLEANUP(descriptor_close)
	int taken = (int)syscall(SYS_pidfd_getfd, hold->helper.pidfd, number, 0);

	if (taken < 0)
		return error_system(err, "a userfaultfd cannot be fetched");
	if (agree(taken) < 0)
		return error_system(err, "the kernel cannot report writes without waiting");
	*fault = descriptor_steal(&taken);
	return 0;
}

int write_watch_hold(struct write_hold *hold, pid_t pid, int *fault, struct error *err)
{
	CLEANUP(descriptor_close) int theirs = -1;
	struct order order = { .pid = pid, .asks = *fault < 0 };
	struct answer answer;

	if (process_stream(&hold->socket, &theirs, err) < 0)
		return -1;
	order.socket = theirs;
	if (process_fork(&hold->helper, help, &order, &theirs, 1, err) < 0)
		return -1;
	descriptor_close(&theirs);
	if (hear(hold, &answer, err) < 0)
		return -1;
	return order.asks ? take(hold, answer.fault, fault, err) : 0;
}

void write_watch_let_go(struct write_hold *hold)
{
	struct error ignored;

	descriptor_close(&hold->socket);
	/* A process that somebody has frozen meanwhile does not finish a call, and the helper waits for that: ended now,
	 * it would leave wrong registers. */
	if (hold->helper.pid != 0 && process_wait(&hold->helper, HELPER_TIMEOUT_MS, &ignored) < 0)
		hold->helper.survives = true;
	process_release(&hold->helper);
}

int write_watch_register(int fault, uint64_t start, uint64_t end)
{
	struct uffdio_register registration = {
		.range = { start, end - start },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	return ioctl(fault, UFFDIO_REGISTER, &registration);
}

/* Kernels before 6.14 leave protections behind in memory that was moved. */
int write_watch_reset(int fault, uint64_t start, uint64_t end)
{
	struct uffdio_writeprotect nothing = {
		.range = { start, end - start },
		.mode = 0,
	};

	return ioctl(fault, UFFDIO_WRITEPROTECT, &nothing);
}
