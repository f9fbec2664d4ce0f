// SPDX-License-Identifier: GPL-2.0-or-later
/* When a process is held so that its mappings begin to be watched: as often as it must be, and none is split. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "memory_track_unit.h"

/* How often the child has moved a mapping, and how often it was none any more, but several. */
static atomic_int *moved(void)
{
	return step + 32;
}

static atomic_int *refused(void)
{
	return step + 33;
}

/* Where one mapping was comes another, of another size, within microseconds. */
static void *come_and_go(void *data)
{
	unsigned int seed = 1;

	(void)data;
	for (;;) {
		size_t size = ((size_t)rand_r(&seed) % 128 + 1) * PAGE;
		size_t larger = size + 128 * PAGE;
		unsigned char *here = mmap(NULL, size, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		unsigned char *there;

		fill(here, size, 1);
		usleep(50);
		there = mremap(here, size, larger, MREMAP_MAYMOVE);
		atomic_fetch_add(there == MAP_FAILED ? refused() : moved(), 1);
		if (there == MAP_FAILED)
			munmap(here, size);
		else
			munmap(there, larger);
	}
	return NULL;
}

static void let_them_come_and_go(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, come_and_go, NULL) != 0)
		_exit(9);
}

/* To watch what is another mapping by now would make several of it, and mremap() takes only one. */
static void test_mappings_stay_whole(void **state)
{
	static void (*const parts[])(void) = { let_them_come_and_go };
	struct memory_track track;
	int watched = 0;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_WRITES))
		return;
	let_do(1);
	/* Begun anew each time, and extended. */
	for (int i = 0; i < 10000 && (watched < 300 || atomic_load(moved()) < 300); i++) {
		scan(&track);
		scan(&track);
		watched += track.registered.count > 0;
		memory_track_release(&track);
		track = track_of(child, TRACK_WRITES);
	}
	assert_true(watched >= 300 && atomic_load(moved()) >= 300);
	assert_int_equal(atomic_load(refused()), 0);
	end(&track);
}

static void watch_itself(void)
{
	int fault = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register registration = {
		.range = { (uintptr_t)PLACE, SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (ioctl(fault, UFFDIO_API, &api) < 0 || ioctl(fault, UFFDIO_REGISTER, &registration) < 0)
		_exit(9);
}

static void map_little(void)
{
	fill(map(OTHER, 10 * PAGE), 10 * PAGE, 5);
}

static void map_more(void)
{
	fill(map(OTHER + 100 * PAGE, 100 * PAGE), 100 * PAGE, 5);
}

static void let_trace_go(void)
{
	ptrace(PTRACE_INTERRUPT, child, 0, 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(ptrace(PTRACE_DETACH, child, 0, 0), 0);
}

/* On a busy machine one that runs may not stop in time. */
static void scan_until_held(struct memory_track *track)
{
	do
		scan(track);
	while (track->failures > 0 && track->failures < 5);
	assert_int_equal(track->failures, 0);
}

/* A traced process cannot be held, so a failure shows that it was tried. It is not tried for what the process watches
 * itself, nor for a little. */
static void test_a_process_is_held_only_for_what_is_worth_it(void **state)
{
	static void (*const parts[])(void) = { watch_itself, map_little, map_more };
	struct memory_track track;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_WRITES))
		return;
	let_do(1);
	scan_until_held(&track);
	assert_changed(0, 2 * PAGES);
	assert_int_equal(ptrace(PTRACE_SEIZE, child, 0, 0), 0);
	scan(&track);
	assert_changed(0, PAGES);
	assert_not_changed(PAGES, 2 * PAGES);
	let_do(2);
	scan(&track);
	assert_changed(PAGES, PAGES + 10);
	assert_not_changed(PAGES + 10, 2 * PAGES);
	assert_int_equal(track.failures, 0);
	let_do(3);
	scan(&track);
	assert_int_equal(track.failures, 1);
	assert_changed(PAGES + 100, PAGES + 200);
	let_trace_go();
	scan_until_held(&track);
	scan(&track);
	assert_changed(0, PAGES);
	assert_not_changed(PAGES, 2 * PAGES);
	end(&track);
}

/* It is not tried for ever. */
static void test_who_cannot_be_held_is_left_alone(void **state)
{
	struct memory_track track;

	(void)state;
	if (!begin_if_possible(&track, NULL, TRACK_WRITES))
		return;
	assert_int_equal(ptrace(PTRACE_SEIZE, child, 0, 0), 0);
	for (int i = 1; i <= 8; i++) {
		scan(&track);
		assert_int_equal(track.failures, i < 5 ? i : 5);
		assert_changed(0, 2 * PAGES);
	}
	let_trace_go();
	end(&track);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mappings_stay_whole),
		cmocka_unit_test(test_a_process_is_held_only_for_what_is_worth_it),
		cmocka_unit_test(test_who_cannot_be_held_is_left_alone),
	};

	return RUN_ALL(tests);
}
