// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for giving one process its memory, wherever it has moved it to. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/lazy_memory.h"
#include "system/page_scan.h"
#include "system/pagemap_image.h"
#include "system/userfault.h"

/* Read at a time from one process: enough for one report of each of many threads. */
#define REPORTS 32

/* What follows a page that is waited for is likely to be wanted next: given with it in some 10 us. */
#define AHEAD_BYTES ((uint64_t)64 << 10)

/* Of what nobody waits for, at a time: copying takes 0.3 to 1 us a page, a single page some 5 us. */
#define FILL_BYTES ((uint64_t)256 << 10)

/* How many pieces that have not come are passed over in search of one that has. */
#define PASSED_MOST 8

/* The way to whoever sends may have been cut meanwhile. */
#define ASK_AGAIN_MS 1000

static int read_missing(struct lazy_ranges *missing, pid_t pid, const char *images,
			struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/pagemap-%d.img", images, (int)pid);
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };

	if (pagemap_image_read(path, &image, err) < 0)
		return -1;
	for (size_t i = 0; i < image.count; i++) {
		const struct pagemap_range *range = &image.ranges[i];

		if ((range->flags & PAGEMAP_LAZY) != 0)
			lazy_ranges_add(missing, range->start,
					range->start + range->pages * page_size(), range->start);
	}
	return 0;
}

struct lazy_memory *lazy_memory_open(int fd, pid_t pid, const char *images, const char *memory,
				     struct lazy_count *count, struct error *err)
{
	struct lazy_memory *opened = memory_allocate(1, sizeof(*opened));

	opened->fd = fd;
	opened->pid = pid;
	opened->count = count;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		error_system(err, "cannot use the userfaultfd of process %d", (int)pid);
	else if (read_missing(&opened->missing, pid, images, err) == 0 &&
		 (opened->missing.bytes == 0 ||
		  (opened->store = memory_store_open(memory, pid, err)) != NULL))
		return opened;
	/* As long as it is open, what is missing is missing and not zero. */
	opened->fd = -1;
	lazy_memory_release(opened);
	return NULL;
}

static struct lazy_memory *fork_memory(const struct lazy_memory *memory, int fd)
{
	struct lazy_memory *child = memory_allocate(1, sizeof(*child));

	child->fd = fd;
	child->pid = memory->pid;
	child->forked = true;
	child->count = memory->count;
	if (memory->store != NULL)
		child->store = memory_store_share(memory->store);
	lazy_ranges_copy(&child->missing, &memory->missing);
	return child;
}

static void note_fault(struct lazy_memory *memory, uint64_t address)
{
	if (memory->fault_count == memory->fault_capacity) {
		memory->fault_capacity =
			memory->fault_capacity == 0 ? REPORTS : memory->fault_capacity * 2;
		memory->faults = memory_resize(memory->faults, memory->fault_capacity,
					       sizeof(*memory->faults));
	}
	memory->faults[memory->fault_count++] = (struct lazy_fault){
		.address = address - address % page_size(),
	};
}

static int take_report(struct lazy_memory *memory, const struct uffd_msg *report,
		       struct lazy_memory **children, struct error *err)
{
	struct lazy_memory *child;

	switch (report->event) {
	case UFFD_EVENT_PAGEFAULT:
		note_fault(memory, report->arg.pagefault.address);
		return 0;
	case UFFD_EVENT_FORK:
		child = fork_memory(memory, (int)report->arg.fork.ufd);
		child->next = *children;
		*children = child;
		return 0;
	case UFFD_EVENT_REMAP:
		lazy_ranges_move(&memory->missing, report->arg.remap.from, report->arg.remap.to,
				 report->arg.remap.len);
		return 0;
	case UFFD_EVENT_REMOVE:
	case UFFD_EVENT_UNMAP:
		lazy_ranges_drop(&memory->missing, report->arg.remove.start,
				 report->arg.remove.end);
		return 0;
	default:
		return error_set(err, "process %d reports the unknown event %u of its memory",
				 (int)memory->pid, report->event);
	}
}

/* Faults are only noted: the kernel reports them before changes that were made earlier. */
int lazy_memory_listen(struct lazy_memory *memory, struct lazy_memory **children, struct error *err)
{
	struct uffd_msg reports[REPORTS];
	int count = userfault_read(memory->fd, reports, REPORTS, err);

	for (int i = 0; i < count; i++)
		if (take_report(memory, &reports[i], children, err) < 0)
			return -1;
	return count < 0 ? -1 : 0;
}

/* The beginning of a range. */
static struct lazy_range first_bytes(const struct lazy_range *range, uint64_t length)
{
	struct lazy_range first = *range;

	if (length < first.end - first.start)
		first.end = first.start + length;
	return first;
}

static int copy(struct lazy_memory *memory, const struct lazy_range *part, uint64_t *done,
		struct error *err)
{
	uint64_t length = part->end - part->start;
	const void *bytes = memory_store_map(memory->store, part->origin, length, err);
	int outcome;

	if (bytes == NULL)
		return -1;
	outcome = userfault_copy(memory->fd, part->start, bytes, length, done, err);
	memory_store_unmap(bytes, length);
	return outcome;
}

/* The outcome of giving a single page, or of what began with it. Had it no mapping, or was that only a moment of a
 * change that is still to be reported? Where it cannot be given it is settled all the same. */
static int judge_page(const struct lazy_memory *memory, uint64_t address, int outcome,
		      uint64_t *done, struct error *err)
{
	if (outcome == USERFAULT_UNMAPPED) {
		int state = userfault_ask(memory->fd, err);

		outcome = state == USERFAULT_DONE ? USERFAULT_UNMAPPED : state;
	}
	if (outcome == USERFAULT_UNMAPPED || outcome == USERFAULT_THERE) {
		*done = page_size();
		userfault_wake(memory->fd, address, *done);
	}
	return outcome;
}

/* Gives the beginning of a part that has content, and says how much of it is settled. Returns an outcome,
 * of which only AGAIN and GONE mean that nothing is; or -1. */
static int give(struct lazy_memory *memory, const struct lazy_range *part, uint64_t *done,
		struct error *err)
{
	struct lazy_range tried = *part;
	int outcome = copy(memory, &tried, done, err);

	/* It is given mapping by mapping, and where they end only trying tells. */
	while (outcome == USERFAULT_UNMAPPED && tried.end - tried.start > page_size()) {
		uint64_t half = (tried.end - tried.start) / 2;

		tried = first_bytes(part, half - half % page_size());
		outcome = copy(memory, &tried, done, err);
	}
	return judge_page(memory, part->start, outcome, done, err);
}

/* As give(), of pages that have no content any more, or never had. */
static int give_zeros(struct lazy_memory *memory, uint64_t address, struct error *err)
{
	uint64_t done;
	int outcome = userfault_zero(memory->fd, address, page_size(), &done, err);

	return judge_page(memory, address, outcome, &done, err);
}

/* What became of a missing range's beginning. */
enum settlement {
	SETTLED, /* given, or known to be zeros */
	NOT_NOW, /* to be tried again */
	NOT_YET, /* it has not come */
	NO_MORE, /* the process has no such memory any more */
};

static int judge(int outcome)
{
	switch (outcome) {
	case USERFAULT_AGAIN:
		return NOT_NOW;
	case USERFAULT_GONE:
		return NO_MORE;
	default:
		return outcome < 0 ? -1 : SETTLED;
	}
}

/* Returns a settlement, or -1, of the first *length bytes; *given says how many of them had to be given. */
static int settle(struct lazy_memory *memory, const struct lazy_range *range, uint64_t most,
		  uint64_t *length, uint64_t *given, struct error *err)
{
	struct lazy_range part;
	int outcome;
	int kind = memory_store_look(memory->store, range->origin, range->end - range->start, most,
				     length, err);

	*given = 0;
	if (kind < 0)
		return -1;
	if (kind == STORE_AWAITED)
		return NOT_YET;
	/* It is zero without being given. */
	if (kind == STORE_ZERO) {
		lazy_ranges_drop(&memory->missing, range->start, range->start + *length);
		return SETTLED;
	}
	part = first_bytes(range, *length);
	outcome = judge(give(memory, &part, given, err));
	if (outcome != SETTLED)
		return outcome;
	*length = *given;
	part = first_bytes(&part, *given);
	lazy_ranges_drop(&memory->missing, part.start, part.end);
	memory_store_forget(memory->store, part.origin, part.end - part.start);
	memory->count->bytes += *given;
	return SETTLED;
}

/* What is missing next, at the address or above it. */
static bool find_from(const struct lazy_memory *memory, uint64_t address, struct lazy_range *range)
{
	if (!lazy_ranges_find(&memory->missing, address, range))
		return false;
	if (range->start < address) {
		range->origin += address - range->start;
		range->start = address;
	}
	return true;
}

/* It was asked for already, unless that may have been lost. */
static void want(struct lazy_memory *memory, struct lazy_fault *fault, uint64_t origin)
{
	if (fault->asked != 0 && wait_clock() - fault->asked < ASK_AGAIN_MS)
		return;
	if (memory_store_want(memory->store, origin))
		fault->asked = wait_clock();
}

/* Returns SETTLED when nobody waits any more; else another settlement, or -1. */
static int answer(struct lazy_memory *memory, struct lazy_fault *fault, struct error *err)
{
	struct lazy_range range = { 0 };
	uint64_t length;
	uint64_t given = 0;
	int outcome = SETTLED;

	while (outcome == SETTLED && given == 0 && find_from(memory, fault->address, &range) &&
	       range.start == fault->address)
		outcome = settle(memory, &range, AHEAD_BYTES, &length, &given, err);
	if (outcome == NOT_YET)
		want(memory, fault, range.origin);
	if (outcome == SETTLED && given == 0)
		outcome = judge(give_zeros(memory, fault->address, err));
	return outcome;
}

int lazy_memory_answer(struct lazy_memory *memory, struct error *err)
{
	size_t waiting = 0;

	for (size_t i = 0; i < memory->fault_count; i++) {
		struct lazy_fault fault = memory->faults[i];
		int outcome = answer(memory, &fault, err);

		if (outcome < 0)
			return -1;
		if (outcome == NO_MORE) {
			memory->gone = true;
			break;
		}
		if (outcome == SETTLED)
			memory->count->faults++;
		else
			memory->faults[waiting++] = fault;
	}
	memory->fault_count = waiting;
	return 0;
}

/* The next missing range at or above *at, or the first of all. */
static bool find_next(const struct lazy_memory *memory, uint64_t *at, struct lazy_range *range)
{
	if (find_from(memory, *at, range))
		return true;
	*at = 0;
	return find_from(memory, 0, range);
}

int lazy_memory_check_rest(const struct lazy_memory *memory, struct error *err)
{
	struct lazy_range range;

	if (memory->gone || !lazy_ranges_find(&memory->missing, 0, &range) ||
	    !memory_store_is_lost(memory->store, range.origin))
		return 0;
	return error_set(err, "the connection over which the rest of it came was lost");
}

/* The cursor stays at the first that has not come: most comes in the order of addresses. */
int lazy_memory_fill(struct lazy_memory *memory, struct error *err)
{
	uint64_t at = memory->cursor;
	struct lazy_range range;
	unsigned int passed = 0;
	uint64_t work = 0;

	while (work < FILL_BYTES && passed < PASSED_MOST && find_next(memory, &at, &range)) {
		uint64_t length;
		uint64_t given;
		int outcome = settle(memory, &range, FILL_BYTES - work, &length, &given, err);

		if (outcome < 0)
			return -1;
		if (outcome == NO_MORE)
			memory->gone = true;
		if (outcome == NOT_NOW || outcome == NO_MORE)
			break;
		if (outcome == NOT_YET && passed++ == 0)
			memory->cursor = range.start;
		at = range.start + length;
		if (outcome == NOT_YET)
			continue;
		if (passed == 0)
			memory->cursor = at;
		/* Finding zeros is work as well. */
		work += given > 0 ? given : page_size();
	}
	return work > 0;
}

int lazy_memory_look(struct lazy_memory *memory, struct error *err)
{
	int state = userfault_ask(memory->fd, err);

	if (state == USERFAULT_GONE)
		memory->gone = true;
	return state < 0 ? -1 : 0;
}

void lazy_memory_release(struct lazy_memory *memory)
{
	descriptor_close(&memory->fd);
	memory_store_release(&memory->store);
	lazy_ranges_release(&memory->missing);
	free(memory->faults);
	free(memory);
}
