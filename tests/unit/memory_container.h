/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container of nothing but processes: a pid namespace and a cgroup with a freezer, for tests of memory. Its
 * first process runs a function of the test; what it and the test tell each other is in shared memory.
 */
#ifndef MEMORY_CONTAINER_H
#define MEMORY_CONTAINER_H

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wait.h"
#include "system/cgroup.h"
#include "system/proc.h"
#include "temporary.h"

struct container {
	pid_t init; /* from outside */
	char *cgroup;
	atomic_int *step; /* shared: what the container is to do, and, negative, has done */
};

/* That of the present test, to be ended with it even when it fails: frozen processes do not end by themselves. */
static struct container *container_running;

static inline void container_make_cgroup(struct container *container)
{
	bool v1 = file_exists("/sys/fs/cgroup/freezer");

	container->cgroup = memory_format("/sys/fs/cgroup/%svzmigrate-unit.%d",
					  v1 ? "freezer/" : "", (int)getpid());
	rmdir(container->cgroup);
	if (mkdir(container->cgroup, 0755) < 0)
		fail_msg("cannot make the cgroup '%s'", container->cgroup);
}

static inline void container_start(struct container *container, void (*run)(atomic_int *step))
{
	CLEANUP(memory_release) char *procs = NULL;

	container_running = container;
	container_make_cgroup(container);
	procs = memory_format("%s/cgroup.procs", container->cgroup);
	container->step = mmap(NULL, sizeof(atomic_int), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(container->step != MAP_FAILED);
	container->init = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	assert_true(container->init >= 0);
	if (container->init == 0) {
		int fd = open(procs, O_WRONLY | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fd < 0 || write(fd, "0", 1) != 1)
			_exit(99);
		close(fd);
		run(container->step);
		_exit(0);
	}
}

/* Has it do one step, and waits until that is done. */
static inline void container_do(const struct container *container, int step)
{
	atomic_store(container->step, step);
	for (int tries = 0; tries < 20000 && atomic_load(container->step) != -step; tries++) {
		assert_int_equal(waitpid(container->init, NULL, WNOHANG), 0);
		usleep(1000);
	}
	assert_int_equal(atomic_load(container->step), -step);
}

/* The container's side of it: the next step. */
static inline int container_next(atomic_int *step)
{
	while (atomic_load(step) <= 0)
		usleep(200);
	return atomic_load(step);
}

static inline void container_freeze(const struct container *container)
{
	struct error err = { 0 };

	if (cgroup_freeze(container->cgroup, 5000, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void container_end(struct container *container)
{
	struct error err = { 0 };

	if (container->init > 0) {
		cgroup_thaw(container->cgroup, &err);
		kill(container->init, SIGKILL);
		waitpid(container->init, NULL, 0);
	}
	for (int tries = 0; tries < 1000 && rmdir(container->cgroup) < 0; tries++)
		usleep(1000);
	munmap(container->step, sizeof(atomic_int));
	memory_release(&container->cgroup);
	container_running = NULL;
}

static inline int container_remove(void **state)
{
	if (container_running != NULL)
		container_end(container_running);
	return remove_temporary(state);
}

#endif
