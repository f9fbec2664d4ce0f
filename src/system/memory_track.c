// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what of a process's memory counts as changed. */
#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/memory_track.h"
#include "system/proc.h"
#include "system/write_watch.h"

/* A process that cannot be stopped so often is left alone. */
#define FAILURES_MAX 5

struct scan {
	struct memory_track *track;
	int pagemap;
	bool last;
	page_visitor *visit;
	void *data;
	struct mappings registered; /* of this time, of TRACK_WRITES */
};

enum track_method memory_track_probe(void)
{
	/* Whether two processes have the same memory must be known: what one resets, the other would miss. */
	if (syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0) != 0)
		return TRACK_NOTHING;
	if (write_watch_is_possible())
		return TRACK_WRITES;
	return page_scan_has_soft_dirty() ? TRACK_SOFT_DIRTY : TRACK_NOTHING;
}

const char *memory_track_words(enum track_method method)
{
	switch (method) {
	case TRACK_WRITES:
		return "write protection (userfaultfd)";
	case TRACK_SOFT_DIRTY:
		return "soft-dirty bits";
	case TRACK_NOTHING:
		break;
	}
	return "nothing: all memory is compared each time";
}

static void visit_as_written(void *opaque, uint64_t start, uint64_t end, enum page_state state)
{
	const struct scan *scan = opaque;

	(void)state;
	scan->visit(scan->data, start, end, PAGE_WRITTEN);
}

/* A range in which nothing was noticed until now. Returns whether it is from now on. */
static bool begin_range(struct scan *scan, const struct mapping *mapping)
{
	struct memory_track *track = scan->track;

	if (scan->last || track->fault < 0)
		return false;
	if (write_watch_register(track->fault, mapping->start, mapping->end) == 0)
		return true;
	/* It has executed another program: the memory that this could be done with has gone. */
	if (errno == ENOMEM)
		descriptor_close(&track->fault);
	return false;
}

static int scan_writes(struct scan *scan, const struct mapping *mapping)
{
	enum page_scan_kind kind = scan->last ? PAGE_SCAN_WRITTEN : PAGE_SCAN_PROTECT;
	bool known = scan->track->fault >= 0 && mappings_cover(&scan->track->registered, mapping);

	if (known && page_scan(scan->pagemap, kind, mapping->start, mapping->end, scan->visit,
			       scan->data) == 0) {
		mappings_add(&scan->registered, mapping->start, mapping->end);
		return 0;
	}
	if (begin_range(scan, mapping) && page_scan(scan->pagemap, kind, mapping->start,
						    mapping->end, visit_as_written, scan) == 0) {
		mappings_add(&scan->registered, mapping->start, mapping->end);
		return 0;
	}
	return page_scan(scan->pagemap, PAGE_SCAN_PRESENT, mapping->start, mapping->end,
			 scan->visit, scan->data);
}

static int scan_mapping(struct scan *scan, const struct mapping *mapping)
{
	enum page_scan_kind kind = PAGE_SCAN_PRESENT;

	if (scan->track->method == TRACK_WRITES)
		return scan_writes(scan, mapping);
	/* The bits were cleared at the beginning of the last round. */
	if (scan->track->method == TRACK_SOFT_DIRTY && scan->last &&
	    mappings_cover(&scan->track->registered, mapping))
		kind = PAGE_SCAN_SOFT_DIRTY;
	return page_scan(scan->pagemap, kind, mapping->start, mapping->end, scan->visit,
			 scan->data);
}

static void find_locked(struct memory_track *track)
{
	CLEANUP(text_release) struct text status = { 0 };

	track->locked.count = 0;
	if (proc_read(track->pid, "status", &status) && proc_number(&status, "VmLck:") > 0)
		mappings_read_locked(track->pid, &track->locked);
}

/* What must be there before the mappings are read, so that no change after that goes unnoticed. */
static void prepare(struct memory_track *track)
{
	struct error ignored;

	find_locked(track);
	if (track->method == TRACK_SOFT_DIRTY) {
		track->registered.count = 0;
		if (!track->shared && page_scan_clear_soft_dirty(track->pid) == 0)
			mappings_add(&track->registered, 0, UINT64_MAX);
	}
	if (track->method != TRACK_WRITES || track->fault >= 0 || track->shared ||
	    track->failures >= FAILURES_MAX)
		return;
	track->registered.count = 0;
	track->fault = write_watch_open(track->pid, &ignored);
	track->failures += track->fault < 0;
}

static int scan_all(struct scan *scan, struct error *err)
{
	CLEANUP(mappings_release) struct mappings mappings = { 0 };
	pid_t pid = scan->track->pid;

	if (mappings_read(pid, &mappings, err) < 0)
		return -1;
	for (size_t i = 0; i < mappings.count; i++) {
		if (mappings_cover(&scan->track->locked, &mappings.items[i]))
			continue;
		/* Read anew each time: another program has another one. */
		if (scan->pagemap < 0)
			scan->pagemap = page_scan_open(pid);
		if (scan->pagemap >= 0 && scan_mapping(scan, &mappings.items[i]) == 0)
			continue;
		if (errno == ESRCH || errno == ENOENT || kill(pid, 0) < 0)
			return 0;
		return error_system(err, "cannot scan the memory of process %d", (int)pid);
	}
	return 0;
}

static int scan_with(struct memory_track *track, bool last, page_visitor *visit, void *data,
		     struct error *err)
{
	struct scan scan = {
		.track = track,
		.pagemap = -1,
		.last = last,
		.visit = visit,
		.data = data,
	};
	int outcome = scan_all(&scan, err);

	descriptor_close(&scan.pagemap);
	if (track->method == TRACK_WRITES) {
		mappings_release(&track->registered);
		track->registered = scan.registered;
	}
	return outcome;
}

int memory_track_scan(struct memory_track *track, page_visitor *visit, void *data,
		      struct error *err)
{
	prepare(track);
	return scan_with(track, false, visit, data, err);
}

int memory_track_scan_last(struct memory_track *track, page_visitor *visit, void *data,
			   struct error *err)
{
	return scan_with(track, true, visit, data, err);
}

void memory_track_release(struct memory_track *track)
{
	mappings_release(&track->registered);
	mappings_release(&track->locked);
	descriptor_close(&track->fault);
	*track = (struct memory_track)MEMORY_TRACK_NONE;
}
