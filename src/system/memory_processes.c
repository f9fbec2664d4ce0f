// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for which processes' memory is sent, and for telling them apart. */
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "system/cgroup.h"
#include "system/memory_processes.h"
#include "system/proc.h"

struct pids {
	pid_t *items;
	size_t count;
};

static void pids_release(struct pids *pids)
{
	free(pids->items);
}

static void add_pid(pid_t pid, void *data)
{
	struct pids *pids = data;

	pids->items = memory_grow(pids->items, pids->count, sizeof(*pids->items));
	pids->items[pids->count++] = pid;
}

static int compare_pids(const void *one, const void *other)
{
	pid_t first = *(const pid_t *)one;
	pid_t second = *(const pid_t *)other;

	return first < second ? -1 : first > second;
}

int memory_processes_open(struct memory_processes *processes, pid_t init, enum track_method method,
			  struct error *err)
{
	processes->init = init;
	processes->method = method;
	proc_pid_inside(init, 0, &processes->depth);
	if (processes->depth == 0 ||
	    !proc_link(init, "ns/pid", processes->namespace, sizeof(processes->namespace)))
		return error_set(err, "process %d has no pid namespace that can be seen",
				 (int)init);
	return cgroup_find_freezer(init, &processes->cgroup, err);
}

static void release(struct memory_process *process)
{
	memory_track_release(&process->track);
	sent_pages_release(&process->sent);
}

/* A process that is not in the namespace is none of the container's; criu does not see it. */
static bool begin(const struct memory_processes *processes, pid_t pid, uint64_t start_time,
		  struct memory_process *process)
{
	char namespace[sizeof(processes->namespace)];
	int depths;

	*process = (struct memory_process){
		.pid = pid,
		.start_time = start_time,
		.track = MEMORY_TRACK_NONE,
	};
	process->track.pid = pid;
	process->track.method = processes->method;
	process->inside = proc_pid_inside(pid, processes->depth, &depths);
	return process->inside > 0 && proc_link(pid, "ns/pid", namespace, sizeof(namespace)) &&
	       strcmp(namespace, processes->namespace) == 0;
}

struct sharer {
	pid_t pid;
	struct memory_track *track;
};

static bool shares_memory(pid_t one, pid_t other)
{
	return syscall(SYS_kcmp, one, other, KCMP_VM, 0, 0) == 0;
}

/* By the kernel's order of their memories. */
static int compare_memory(const void *one, const void *other)
{
	const struct sharer *first = one;
	const struct sharer *second = other;
	long order = syscall(SYS_kcmp, first->pid, second->pid, KCMP_VM, 0, 0);

	return order == 1 ? -1 : order == 2 ? 1 : 0;
}

/* Whoever is followed already stays so: it was alone, and the other one came later. But with userfaultfd it
 * is not held for what is new: the other one would go on meanwhile. */
static void note_shared(const struct memory_processes *processes, struct memory_track *track)
{
	track->shared |= processes->method == TRACK_WRITES || track->registered.count == 0;
}

/* One whose memory another one has too (vfork) is not followed before it is alone: what one of them would reset, the
 * other would miss. */
static void find_shared(struct memory_processes *processes)
{
	CLEANUP(memory_release)
	char *memory = memory_allocate(processes->count, sizeof(struct sharer));
	struct sharer *sorted = (struct sharer *)(void *)memory;
	bool any_new = false;

	for (size_t i = 0; i < processes->count; i++) {
		struct memory_track *track = &processes->items[i].track;

		sorted[i] = (struct sharer){ track->pid, track };
		any_new |= track->registered.count == 0;
		track->shared = false;
	}
	if (!any_new || processes->method == TRACK_NOTHING)
		return;
	qsort(sorted, processes->count, sizeof(*sorted), compare_memory);
	for (size_t i = 0; i + 1 < processes->count; i++)
		if (shares_memory(sorted[i].pid, sorted[i + 1].pid)) {
			note_shared(processes, sorted[i].track);
			note_shared(processes, sorted[i + 1].track);
		}
}

static void note_gone(struct memory_processes *processes, const struct memory_process *process)
{
	if (process->sent.count == 0)
		return;
	processes->gone =
		memory_resize(processes->gone, processes->gone_count + 1, sizeof(*processes->gone));
	processes->gone[processes->gone_count++] = process->inside;
}

int memory_processes_update(struct memory_processes *processes, struct error *err)
{
	CLEANUP(pids_release) struct pids pids = { 0 };
	struct memory_process *old = processes->items;
	struct memory_process *items;
	size_t old_count = processes->count;
	size_t at = 0;
	size_t count = 0;

	if (cgroup_visit(processes->cgroup, add_pid, &pids, err) < 0)
		return -1;
	if (pids.count > 0)
		qsort(pids.items, pids.count, sizeof(*pids.items), compare_pids);
	items = memory_allocate(pids.count, sizeof(*items));
	for (size_t i = 0; i < pids.count; i++) {
		pid_t pid = pids.items[i];
		uint64_t start_time = proc_start_time(pid);

		if (i > 0 && pid == pids.items[i - 1])
			continue;
		for (; at < old_count && old[at].pid < pid; at++) {
			note_gone(processes, &old[at]);
			release(&old[at]);
		}
		if (at < old_count && old[at].pid == pid && old[at].start_time == start_time)
			items[count++] = old[at++];
		else if (start_time != 0 && begin(processes, pid, start_time, &items[count]))
			count++;
	}
	for (; at < old_count; at++) {
		note_gone(processes, &old[at]);
		release(&old[at]);
	}
	free(old);
	processes->items = items;
	processes->count = count;
	find_shared(processes);
	return 0;
}

struct memory_process *memory_processes_find(const struct memory_processes *processes, pid_t inside)
{
	for (size_t i = 0; i < processes->count; i++)
		if (processes->items[i].inside == inside)
			return &processes->items[i];
	return NULL;
}

void memory_processes_release(struct memory_processes *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		release(&processes->items[i]);
	free(processes->items);
	free(processes->gone);
	free(processes->cgroup);
	*processes = (struct memory_processes){ 0 };
}
