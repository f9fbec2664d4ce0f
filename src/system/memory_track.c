// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what of a process's memory counts as changed. */
#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "system/memory_track.h"
#include "system/proc.h"
#include "system/write_watch.h"

/* A process that cannot be held so often in a row is left alone. */
#define FAILURES_MAX 5

/* Up to this much new memory is no reason to hold a process: the process may notice a hold (system/inject_threads.h),
 * and to read so much again, in each round and in the stop, takes some 50 us. */
#define NEW_BYTES_MOST ((uint64_t)128 << 10)

struct scan {
	struct memory_track *track;
	int pagemap;
	bool last;
	page_visitor *visit;
	void *data;
	struct mappings mappings;   /* all that there are but the locked ones */
	struct mappings begun;	    /* of them: watched since just now (TRACK_WRITES) */
	struct mappings registered; /* of them: watched until the next time */
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

/* At these addresses. Another one that is there by now is not: the kernel tells. */
static bool was_watched(const struct scan *scan, const struct mapping *mapping)
{
	return scan->track->fault >= 0 && mappings_cover(&scan->track->registered, mapping);
}

static bool is_watched(const struct scan *scan, const struct mapping *mapping)
{
	return was_watched(scan, mapping) && page_scan_can_protect(scan->pagemap, mapping->start);
}

static void add_bytes(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	if (state != PAGE_ZERO)
		*(uint64_t *)data += end - start;
}

/* Is there enough that is not watched yet? The first time one page is enough. What cannot be watched (another
 * userfaultfd has it) does not count. */
static bool is_worth_a_hold(const struct scan *scan)
{
	const struct memory_track *track = scan->track;
	uint64_t most = track->fault < 0 ? 0 : NEW_BYTES_MOST;
	uint64_t bytes = 0;

	for (size_t i = 0; i < scan->mappings.count && bytes <= most; i++) {
		const struct mapping *mapping = &scan->mappings.items[i];

		if (!is_watched(scan, mapping) && !mappings_cover(&track->refused, mapping))
			page_scan(scan->pagemap, PAGE_SCAN_PRESENT, mapping->start, mapping->end,
				  add_bytes, &bytes);
	}
	return bytes > most;
}

static void leave_out_locked(struct scan *scan)
{
	struct mappings *mappings = &scan->mappings;
	size_t count = 0;

	for (size_t i = 0; i < mappings->count; i++)
		if (!mappings_cover(&scan->track->locked, &mappings->items[i]))
			mappings->items[count++] = mappings->items[i];
	mappings->count = count;
}

/* The page map is opened anew each time: after an exec the old one shows nothing. */
static int read_mappings(struct scan *scan, struct error *err)
{
	pid_t pid = scan->track->pid;

	scan->mappings.count = 0;
	descriptor_close(&scan->pagemap);
	scan->pagemap = page_scan_open(pid);
	if (scan->pagemap < 0)
		return errno == ENOENT || errno == ESRCH
			       ? 0
			       : error_system(err, "cannot scan the memory of process %d",
					      (int)pid);
	if (mappings_read(pid, &scan->mappings, err) < 0)
		return -1;
	leave_out_locked(scan);
	return 0;
}

static void begin_mapping(struct scan *scan, const struct mapping *mapping)
{
	struct memory_track *track = scan->track;

	if (write_watch_register(track->fault, mapping->start, mapping->end) == 0)
		mappings_add(&scan->begun, mapping->start, mapping->end);
	else if (errno != ENOMEM)
		mappings_add(&track->refused, mapping->start, mapping->end);
	else
		/* It has executed another program, or ended: the memory that this was for has gone. */
		descriptor_close(&track->fault);
}

/* Has those watched that are not, as far as possible. Meanwhile the process is held. */
static int begin_watching(struct scan *scan, struct error *err)
{
	CLEANUP(write_watch_let_go) struct write_hold hold = WRITE_HOLD_NONE;
	struct memory_track *track = scan->track;
	struct error failure;

	if (write_watch_hold(&hold, track->pid, &track->fault, &failure) < 0) {
		log_debug("new memory of process %d is not watched: %s", (int)track->pid,
			  failure.text);
		track->failures++;
		return 0;
	}
	track->failures = 0;
	if (read_mappings(scan, err) < 0)
		return -1;
	track->refused.count = 0;
	for (size_t i = 0; i < scan->mappings.count && track->fault >= 0; i++) {
		const struct mapping *mapping = &scan->mappings.items[i];

		if (!is_watched(scan, mapping))
			begin_mapping(scan, mapping);
	}
	return 0;
}

/* All of it counts as written. */
static int scan_begun(struct scan *scan, const struct mapping *mapping)
{
	if (write_watch_reset(scan->track->fault, mapping->start, mapping->end) < 0)
		return -1;
	return page_scan(scan->pagemap, PAGE_SCAN_PROTECT, mapping->start, mapping->end,
			 visit_as_written, scan);
}

static int scan_writes(struct scan *scan, const struct mapping *mapping)
{
	enum page_scan_kind kind = scan->last ? PAGE_SCAN_WRITTEN : PAGE_SCAN_PROTECT;
	int outcome = -1;

	if (mappings_cover(&scan->begun, mapping))
		outcome = scan_begun(scan, mapping);
	else if (was_watched(scan, mapping))
		outcome = page_scan(scan->pagemap, kind, mapping->start, mapping->end, scan->visit,
				    scan->data);
	if (outcome < 0)
		return page_scan(scan->pagemap, PAGE_SCAN_PRESENT, mapping->start, mapping->end,
				 scan->visit, scan->data);
	mappings_add(&scan->registered, mapping->start, mapping->end);
	return 0;
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
	find_locked(track);
	if (track->method != TRACK_SOFT_DIRTY)
		return;
	track->registered.count = 0;
	if (!track->shared && page_scan_clear_soft_dirty(track->pid) == 0)
		mappings_add(&track->registered, 0, UINT64_MAX);
}

static bool may_hold(const struct scan *scan)
{
	const struct memory_track *track = scan->track;

	return track->method == TRACK_WRITES && !scan->last && !track->shared &&
	       track->failures < FAILURES_MAX;
}

static int scan_all(struct scan *scan, struct error *err)
{
	pid_t pid = scan->track->pid;

	if (read_mappings(scan, err) < 0 ||
	    (may_hold(scan) && is_worth_a_hold(scan) && begin_watching(scan, err) < 0))
		return -1;
	for (size_t i = 0; i < scan->mappings.count; i++) {
		const struct mapping *mapping = &scan->mappings.items[i];

		if (scan_mapping(scan, mapping) == 0)
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
	mappings_release(&scan.mappings);
	mappings_release(&scan.begun);
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
	mappings_release(&track->refused);
	mappings_release(&track->locked);
	descriptor_close(&track->fault);
	*track = (struct memory_track)MEMORY_TRACK_NONE;
}
