// SPDX-License-Identifier: GPL-2.0-or-later
/* The processes of a container whose memory is followed: who is there, and which of them have one memory. */
#include <stdlib.h>

#include "unit.h"

#include "memory_container.h"
#include "system/memory_processes.h"

/* So many have a memory of their own; among as many in any order, the pairs must be found. */
#define ALONE 24
#define PAIRS 3

/* A process and its child, which has the same memory, wait until the container ends. The child comes when all others
 * are there: its pid is not next to its parent's. */
static void run_pair(atomic_int *step)
{
	while (abs(atomic_load(step)) != 2)
		usleep(1000);
	if (vfork() == 0)
		for (;;)
			pause();
}

static void run_mixed(atomic_int *step)
{
	container_next(step);
	for (int i = 0; i < ALONE; i++) {
		if (fork() == 0)
			for (;;)
				pause();
		if (i % (ALONE / PAIRS) == 0 && fork() == 0)
			run_pair(step);
	}
	atomic_store(step, -1);
	container_next(step);
	atomic_store(step, -2);
	for (;;)
		pause();
}

/* A pair is a child and its parent, who waits in vfork(). */
static bool has_partner(const struct memory_processes *processes, size_t which)
{
	pid_t pid = processes->items[which].pid;

	for (size_t i = 0; i < processes->count; i++)
		if (i != which && processes->items[i].track.shared &&
		    (proc_parent(processes->items[i].pid) == pid ||
		     proc_parent(pid) == processes->items[i].pid))
			return true;
	return false;
}

static size_t count_shared(const struct memory_processes *processes)
{
	size_t shared = 0;

	for (size_t i = 0; i < processes->count; i++)
		if (processes->items[i].track.shared) {
			shared++;
			assert_true(has_partner(processes, i));
		}
	return shared;
}

/* Also one that is followed already: it must not be held. */
static void test_who_shares_memory(void **state)
{
	static struct container container;
	struct memory_processes processes = { 0 };
	struct error err = { 0 };

	(void)state;
	container_start(&container, run_mixed);
	container_do(&container, 1);
	container_do(&container, 2);
	assert_int_equal(memory_processes_open(&processes, container.init, TRACK_WRITES, &err), 0);
	/* Nobody can say so who stands still in vfork(). */
	for (int tries = 0; tries < 1000 && processes.count < 1 + ALONE + 2 * PAIRS; tries++) {
		usleep(10000);
		assert_int_equal(memory_processes_update(&processes, &err), 0);
	}
	assert_int_equal(processes.count, 1 + ALONE + 2 * PAIRS);
	assert_int_equal(count_shared(&processes), 2 * PAIRS);
	for (size_t i = 0; i < processes.count; i++)
		if (proc_parent(processes.items[i].pid) == container.init)
			mappings_add(&processes.items[i].track.registered, 0, 4096);
	assert_int_equal(memory_processes_update(&processes, &err), 0);
	assert_int_equal(count_shared(&processes), 2 * PAIRS);
	memory_processes_release(&processes);
	container_end(&container);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_shares_memory, make_temporary,
						container_remove),
	};

	return RUN_ALL(tests);
}
