/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests of tracking share: a child whose memory does what a script says, and what a scan found of it. */
#ifndef MEMORY_TRACK_UNIT_H
#define MEMORY_TRACK_UNIT_H

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/memory_track.h"
#include "unit.h"

#define PAGE ((size_t)4096)
#define PAGES 512
#define SIZE (PAGES * PAGE)

/* Where the child has its memory: two places, next to nothing else. */
#define PLACE ((unsigned char *)0x200000000000)
#define OTHER ((unsigned char *)0x210000000000)

static struct error err;
static pid_t child;
static atomic_int *step;
static void (*const *script)(void);

/* What a scan has found, of the page numbers at PLACE and at OTHER. */
static struct found {
	bool there[2 * PAGES];
	bool changed[2 * PAGES];
	size_t count; /* changed ones, anywhere */
} found;

static inline void note(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	bool written = state == PAGE_WRITTEN;

	(void)data;
	if (state == PAGE_ZERO)
		return;
	for (; start < end; start += PAGE) {
		uintptr_t place = start >= (uintptr_t)OTHER ? (uintptr_t)OTHER : (uintptr_t)PLACE;
		size_t number = (start - place) / PAGE + (place == (uintptr_t)OTHER ? PAGES : 0);

		found.count += written;
		if (start - place >= SIZE)
			continue;
		found.there[number] = true;
		found.changed[number] |= written;
	}
}

static inline void scan(struct memory_track *track)
{
	memset(&found, 0, sizeof(found));
	if (memory_track_scan(track, note, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* While the process is frozen. */
static inline void scan_last(struct memory_track *track)
{
	memset(&found, 0, sizeof(found));
	if (memory_track_scan_last(track, note, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void assert_changed(size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (!found.there[i] || !found.changed[i])
			fail_msg("page %zu is %s", i, found.there[i] ? "not changed" : "not there");
}

static inline void assert_not_changed(size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (!found.there[i] || found.changed[i])
			fail_msg("page %zu is %s", i, found.there[i] ? "changed" : "not there");
}

/* What the last scan says: of what has not changed perhaps nothing. */
static inline void assert_no_change(size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (found.changed[i])
			fail_msg("page %zu is changed", i);
}

static inline void assert_not_there(size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (found.there[i])
			fail_msg("page %zu is there", i);
}

static inline void fill(unsigned char *memory, size_t size, int byte)
{
	memset(memory, byte, size);
}

static inline unsigned char *map(unsigned char *where, size_t size)
{
	unsigned char *memory = mmap(where, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (memory != where)
		_exit(9);
	return memory;
}

/* The child has both places full of data, and no huge pages; then it does what the script says. */
static inline _Noreturn void run_child(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fill(map(PLACE, SIZE), SIZE, 1);
	fill(map(OTHER, SIZE), SIZE, 2);
	atomic_store(step, -1);
	for (;;) {
		int next = atomic_load(step);

		if (next <= 0) {
			usleep(200);
			continue;
		}
		script[next - 1]();
		atomic_store(step, -next);
	}
}

static inline void wait_for_step(int number)
{
	for (int tries = 0; tries < 10000 && atomic_load(step) != -number; tries++)
		usleep(500);
	assert_int_equal(atomic_load(step), -number);
}

/* The script's part of this number, from 1. */
static inline void let_do(int number)
{
	atomic_store(step, number);
	wait_for_step(number);
}

static inline struct memory_track track_of(pid_t pid, enum track_method method)
{
	struct memory_track track = MEMORY_TRACK_NONE;

	track.pid = pid;
	track.method = method;
	return track;
}

static inline struct memory_track begin(void (*const *parts)(void), enum track_method method)
{
	script = parts;
	step = mmap(NULL, sizeof(*step), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(step != MAP_FAILED);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		run_child();
	wait_for_step(1);
	return track_of(child, method);
}

static inline void end(struct memory_track *track)
{
	memory_track_release(track);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(step, sizeof(*step));
}

/* A test that needs what this kernel lacks says so, and ends. (prove takes what cmocka says of skip() for a failure.) */
static inline bool lacks(enum track_method method)
{
	bool there = method == TRACK_WRITES ? memory_track_probe() == TRACK_WRITES
					    : page_scan_has_soft_dirty();

	if (!there)
		print_message("# not tried: this kernel has no %s\n", memory_track_words(method));
	return !there;
}

/* Begins where this kernel has what is needed. */
static inline bool begin_if_possible(struct memory_track *track, void (*const *parts)(void),
				     enum track_method method)
{
	if (lacks(method))
		return false;
	*track = begin(parts, method);
	return true;
}

/* What the child and the test tell each other besides. */
static inline pid_t *other_pid(void)
{
	return (pid_t *)(void *)((unsigned char *)step + 64);
}

static inline void write_one(void)
{
	PLACE[7 * PAGE + 5] = 77;
}

#endif
