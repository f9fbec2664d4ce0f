// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for who gets memory next, among all processes of a container that lack some. */
#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/lazy_socket.h"
#include "system/memory_fill.h"

/* Looked at together; those left over come next. */
#define READY 64

/* A change of mappings that is reported, but not over, takes less than this; so does what comes from afar. */
#define AGAIN_MS 1

/* How often it is looked, where nothing could be given, whether more has come. */
#define FILL_INTERVAL_MS 5

/* How often it is looked which processes have ended. */
#define LOOK_INTERVAL_MS 100

struct filling {
	const struct memory_fill *order;
	struct memory_filled *filled;
	struct lazy_socket lazy;
	int epoll;
	struct lazy_memory *first; /* the restored ones, and then those that they forked */
	int64_t began;		   /* the moment at which the restore was finished */
	int64_t next_fill;
	int64_t next_look;
};

/* NULL stands for criu's socket. */
static int follow(const struct filling *filling, int fd, struct lazy_memory *memory,
		  struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = memory };

	if (epoll_ctl(filling->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return error_system(err, "cannot wait for what processes do with their memory");
	return 0;
}

static int append(struct filling *filling, struct lazy_memory *memory, struct error *err)
{
	struct lazy_memory **end = &filling->first;

	while (*end != NULL)
		end = &(*end)->next;
	memory->next = NULL;
	*end = memory;
	return follow(filling, memory->fd, memory, err);
}

static int take_memory(struct filling *filling, pid_t pid, int fd, struct error *err)
{
	struct lazy_memory *memory =
		lazy_memory_open(fd, pid, filling->order->images, filling->order->memory,
				 &filling->filled->count, err);

	return memory == NULL ? -1 : append(filling, memory, err);
}

/* Reads all that criu has said. */
static int hear_criu(struct filling *filling, struct error *err)
{
	int followed = lazy_socket_descriptor(&filling->lazy);

	for (;;) {
		pid_t pid = 0;
		int fd = -1;
		int said = lazy_socket_next(&filling->lazy, &pid, &fd, err);
		int now = lazy_socket_descriptor(&filling->lazy);

		/* What is closed now was forgotten with that. */
		if (now >= 0 && now != followed && follow(filling, now, NULL, err) < 0)
			return -1;
		followed = now;
		if (said == LAZY_MEMORY && take_memory(filling, pid, fd, err) < 0)
			return -1;
		if (said == LAZY_FINISHED)
			filling->began = wait_clock();
		if (said == LAZY_FINISHED || said == LAZY_LEFT)
			filling->order->criu_is_done(filling->order->data);
		if (said < 0 || said == LAZY_NOTHING || said == LAZY_LEFT)
			return said < 0 ? -1 : 0;
	}
}

/* Reads everything that has been reported, before any of it is acted upon. */
static int listen_to_all(struct filling *filling, struct error *err)
{
	struct lazy_memory *children = NULL;
	struct epoll_event ready[READY];
	int count = epoll_wait(filling->epoll, ready, READY, 0);

	if (count < 0 && errno != EINTR)
		return error_system(err, "cannot wait for what processes do with their memory");
	for (int i = 0; i < count; i++) {
		struct lazy_memory *memory = ready[i].data.ptr;

		if (memory == NULL ? hear_criu(filling, err) < 0
				   : lazy_memory_listen(memory, &children, err) < 0)
			return -1;
	}
	while (children != NULL) {
		struct lazy_memory *child = children;

		children = child->next;
		if (append(filling, child, err) < 0)
			return -1;
	}
	return 0;
}

/* Returns how many still wait, or -1. */
static int answer_all(struct filling *filling, struct error *err)
{
	int waiting = 0;

	for (struct lazy_memory *memory = filling->first; memory != NULL; memory = memory->next) {
		if (lazy_memory_answer(memory, err) < 0)
			return -1;
		waiting += memory->fault_count > 0;
	}
	return waiting;
}

/*
 * A little for the first that can be given some. The restored ones come before those that they forked, which
 * may have ended until then, and take memory of their own for all that they are given. Returns 1; 0 when none can.
 */
static int fill_one(struct filling *filling, struct error *err)
{
	struct lazy_memory *memory = filling->first;
	int outcome = 0;

	/* Before that criu still makes the mappings. */
	if (!*filling->order->restored || wait_clock() < filling->next_fill)
		return 0;
	for (; memory != NULL && outcome == 0; memory = memory->next)
		outcome = lazy_memory_fill(memory, err);
	if (outcome == 0)
		filling->next_fill = wait_clock() + FILL_INTERVAL_MS;
	return outcome;
}

static int look_at_all(struct filling *filling, struct error *err)
{
	if (wait_clock() < filling->next_look)
		return 0;
	filling->next_look = wait_clock() + LOOK_INTERVAL_MS;
	for (struct lazy_memory *memory = filling->first; memory != NULL; memory = memory->next)
		if (lazy_memory_look(memory, err) < 0 ||
		    (*filling->order->restored && lazy_memory_check_rest(memory, err) < 0))
			return -1;
	return 0;
}

/* Needs this process nothing more? */
static bool is_complete(const struct filling *filling, const struct lazy_memory *memory)
{
	return memory->gone || (*filling->order->restored && memory->missing.bytes == 0);
}

static bool all_complete(const struct filling *filling)
{
	const struct lazy_memory *memory = filling->first;

	while (memory != NULL && is_complete(filling, memory))
		memory = memory->next;
	return memory == NULL &&
	       (*filling->order->restored || lazy_socket_descriptor(&filling->lazy) < 0);
}

static void release_complete(struct filling *filling)
{
	struct lazy_memory **link = &filling->first;

	while (*link != NULL) {
		struct lazy_memory *memory = *link;

		if (!is_complete(filling, memory)) {
			link = &memory->next;
			continue;
		}
		*link = memory->next;
		epoll_ctl(filling->epoll, EPOLL_CTL_DEL, memory->fd, NULL);
		lazy_memory_release(memory);
	}
}

static int wait_until_ready(const struct filling *filling, int timeout_ms, struct error *err)
{
	struct pollfd ready = { filling->epoll, POLLIN, 0 };

	return wait_for(&ready, 1, timeout_ms, err) < 0 ? -1 : 0;
}

/* Does what can be done at once. Returns how long to wait before more can, in ms; -1 on failure. */
static int work(struct filling *filling, struct error *err)
{
	int waiting;
	int filled;

	if (listen_to_all(filling, err) < 0)
		return -1;
	waiting = answer_all(filling, err);
	if (waiting < 0)
		return -1;
	filled = fill_one(filling, err);
	if (filled < 0 || look_at_all(filling, err) < 0)
		return -1;
	if (filled > 0)
		return 0;
	if (waiting > 0)
		return AGAIN_MS;
	return *filling->order->restored ? FILL_INTERVAL_MS : LOOK_INTERVAL_MS;
}

int memory_fill(const struct memory_fill *order, struct memory_filled *filled, struct error *err)
{
	struct filling filling = { .order = order, .filled = filled };

	*filled = (struct memory_filled){ 0 };
	lazy_socket_init(&filling.lazy, order->listener, order->restored);
	filling.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (filling.epoll < 0)
		return error_system(err, "cannot wait for what processes do with their memory");
	if (follow(&filling, order->listener, NULL, err) < 0)
		return -1;
	while (!all_complete(&filling)) {
		int pause;

		release_complete(&filling);
		pause = work(&filling, err);
		if (pause < 0 || wait_until_ready(&filling, pause, err) < 0)
			return -1;
	}
	filled->given_up = !*order->restored;
	filled->milliseconds = *order->restored ? wait_clock() - filling.began : 0;
	return 0;
}
