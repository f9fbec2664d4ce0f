// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the workers of a parallel run: starting, hearing, ending them. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/turn.h"
#include "base/wait.h"
#include "cli/parallel.h"
#include "cli/result.h"
#include "cli/show.h"

#define WORKERS_MAX 10
#define MESSAGE_MAX (256 << 10)

struct worker {
	struct process process; /* pid 0: this place is free */
	int socket;
	size_t index; /* of its container in the list */
};

struct run {
	const struct options *options;
	int (*work)(const struct options *options, size_t i);
	int *statuses;
	struct worker workers[WORKERS_MAX];
	size_t next; /* container that none has yet */
	bool shielded;
	char *message;
};

/* What a worker gets. */
struct order {
	const struct run *run;
	size_t index;
	int socket;
	pid_t parent;
};

static int worker_main(void *data)
{
	const struct order *order = data;

	/* What nobody watches any more is put back, or finished, as after ^C. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	wait_catch_signals();
	if (getppid() != order->parent)
		raise(SIGTERM);
	show_send_to(order->socket);
	return order->run->work(order->run->options, order->index);
}

static struct worker *find_free(struct run *run)
{
	for (int i = 0; i < run->options->parallel; i++)
		if (run->workers[i].process.pid == 0)
			return &run->workers[i];
	return NULL;
}

static int start_worker(struct run *run, struct worker *worker, struct error *err)
{
	struct order order = { .run = run, .index = run->next, .parent = getpid() };
	CLEANUP(descriptor_close) int ours = -1;
	CLEANUP(descriptor_close) int theirs = -1;
	int ends[2];
	int keep[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_system(err, "cannot make a socket pair");
	ours = ends[0];
	theirs = ends[1];
	order.socket = theirs;
	keep[0] = theirs;
	keep[1] = run->options->migration.turns;
	if (process_fork(&worker->process, worker_main, &order, keep, COUNT_OF(keep), err) < 0)
		return -1;
	worker->socket = descriptor_steal(&ours);
	worker->index = run->next++;
	return 0;
}

/* Fills the free places, unless it was interrupted. */
static int start_workers(struct run *run, struct error *err)
{
	struct worker *worker;

	while (wait_signal() == 0 && run->next < run->options->request_count &&
	       (worker = find_free(run)) != NULL)
		if (start_worker(run, worker, err) < 0)
			return -1;
	return 0;
}

/* It says its result itself, unless it was killed. */
static void end_worker(struct run *run, struct worker *worker)
{
	const char *id = run->options->requests[worker->index].id;
	struct error failure;
	int status;

	wait_shield();
	status = process_wait(&worker->process, -1, &failure);
	wait_unshield();
	if (status < 0 || status > 128) {
		error_exit(&failure, EXIT_UNRESOLVED,
			   "the process that moved container '%s' was killed: run 'vzmigrate "
			   "--recover %s'",
			   id, id);
		result_emit_failure(id, &failure);
		status = EXIT_UNRESOLVED;
	}
	run->statuses[worker->index] = status;
	descriptor_close(&worker->socket);
	process_release(&worker->process);
}

static void hear_worker(struct run *run, struct worker *worker)
{
	ssize_t got = recv(worker->socket, run->message, MESSAGE_MAX, MSG_DONTWAIT);

	if (got > 0)
		show_received(run->message, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		end_worker(run, worker);
}

/* The ready ones are heard. Returns how many workers there were; -1: interrupted. */
static int hear_workers(struct run *run, struct error *err)
{
	struct pollfd ready[WORKERS_MAX];
	struct worker *workers[WORKERS_MAX];
	int count = 0;

	for (size_t i = 0; i < WORKERS_MAX; i++) {
		if (run->workers[i].process.pid == 0)
			continue;
		workers[count] = &run->workers[i];
		ready[count++] = (struct pollfd){ run->workers[i].socket, POLLIN, 0 };
	}
	if (count == 0)
		return 0;
	if (wait_for(ready, (nfds_t)count, -1, err) < 0)
		return -1;
	for (int i = 0; i < count; i++)
		if (ready[i].revents != 0)
			hear_worker(run, workers[i]);
	return count;
}

/* They are in groups of their own: a ^C on the terminal does not reach them. From here on only their ends
 * are waited for. */
static void hand_on_signal(struct run *run)
{
	wait_shield();
	run->shielded = true;
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (run->workers[i].process.pid != 0)
			kill(run->workers[i].process.pid, wait_signal());
}

static int run_workers(struct run *run, struct error *err)
{
	struct error failure;
	int running;

	do {
		/* Without a process for the next there may be one when another has ended. */
		int started = start_workers(run, err);

		running = hear_workers(run, &failure);
		if (running < 0)
			hand_on_signal(run);
		else if (running == 0 && started < 0)
			return -1;
	} while (running != 0);
	return 0;
}

int parallel_run(struct options *options, int (*work)(const struct options *options, size_t i),
		 int *statuses, struct error *err)
{
	struct run run = { .options = options, .work = work };
	CLEANUP(descriptor_close) int turns = turn_make(err);
	CLEANUP(memory_release) char *message = memory_allocate(MESSAGE_MAX, 1);
	int outcome;

	if (turns < 0)
		return -1;
	options->migration.turns = turns;
	run.statuses = statuses;
	run.message = message;
	for (size_t i = 0; i < WORKERS_MAX; i++)
		run.workers[i] = (struct worker){ .process = PROCESS_NONE, .socket = -1 };
	outcome = run_workers(&run, err);
	if (run.shielded)
		wait_unshield();
	return outcome;
}
