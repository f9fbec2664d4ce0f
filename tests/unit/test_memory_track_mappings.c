// SPDX-License-Identifier: GPL-2.0-or-later
/* What counts as changed when mappings come, go and move, and when processes become others. */
#include <fcntl.h>
#include <sys/syscall.h>

#include "memory_track_unit.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static void throw_away(void)
{
	madvise(PLACE, 100 * PAGE, MADV_DONTNEED);
	/* Read: the kernel's page of zeros. Written: a new one. */
	for (size_t i = 10; i < 20; i++)
		if (*(volatile unsigned char *)(PLACE + i * PAGE) != 0)
			_exit(9);
	PLACE[30 * PAGE] = 1;
}

static void map_anew(void)
{
	munmap(PLACE, 50 * PAGE);
	fill(map(PLACE, 50 * PAGE), 50 * PAGE, 3);
}

/* Onto what was clean. */
static void move_over(void)
{
	if (mremap(PLACE, 40 * PAGE, 40 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, OTHER) != OTHER)
		_exit(9);
}

static void write_moved(void)
{
	OTHER[11 * PAGE] = 7;
}

static void forbid(void)
{
	OTHER[60 * PAGE] = 7;
	mprotect(OTHER + 50 * PAGE, 50 * PAGE, PROT_NONE);
}

static void allow(void)
{
	mprotect(OTHER + 50 * PAGE, 50 * PAGE, PROT_READ | PROT_WRITE);
	OTHER[70 * PAGE] = 7;
}

static void test_mappings_change(void **state)
{
	static void (*const parts[])(void) = { throw_away,  map_anew, move_over,
					       write_moved, forbid,   allow };
	struct memory_track track;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_WRITES))
		return;
	scan(&track);
	scan(&track);
	let_do(1);
	scan(&track);
	assert_not_there(0, 30);
	assert_changed(30, 31);
	assert_not_there(31, 100);
	assert_not_changed(100, 2 * PAGES);
	let_do(2);
	scan(&track);
	assert_changed(0, 50);
	assert_not_there(50, 100);
	assert_not_changed(100, 2 * PAGES);
	scan(&track);
	assert_not_changed(0, 50);
	let_do(3);
	scan(&track);
	assert_not_there(0, 40);
	assert_not_changed(40, 50);
	assert_changed(PAGES, PAGES + 40);
	assert_not_changed(PAGES + 40, 2 * PAGES);
	scan(&track);
	assert_not_changed(PAGES, 2 * PAGES);
	/* What was moved is followed where it is now. */
	let_do(4);
	scan(&track);
	assert_changed(PAGES + 11, PAGES + 12);
	assert_not_changed(PAGES + 12, 2 * PAGES);
	let_do(5);
	scan(&track);
	assert_changed(PAGES + 60, PAGES + 61);
	let_do(6);
	scan(&track);
	assert_changed(PAGES + 70, PAGES + 71);
	assert_not_changed(PAGES + 71, 2 * PAGES);
	end(&track);
}

static void fork_child(void)
{
	pid_t pid = fork();

	while (pid == 0)
		pause();
	*other_pid() = pid;
}

/* A child is another process; its parent is what it was. */
static void test_a_fork(void **state)
{
	static void (*const parts[])(void) = { fork_child, write_one };
	struct memory_track track;
	struct memory_track other;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_WRITES))
		return;
	scan(&track);
	scan(&track);
	let_do(1);
	scan(&track);
	assert_not_changed(0, 2 * PAGES);
	other = track_of(*other_pid(), TRACK_WRITES);
	scan(&other);
	assert_changed(0, 2 * PAGES);
	scan(&other);
	assert_not_changed(0, 2 * PAGES);
	/* A page that both have is written by one of them. */
	let_do(2);
	scan(&other);
	assert_not_changed(0, 2 * PAGES);
	scan(&track);
	assert_changed(7, 8);
	assert_not_changed(8, 2 * PAGES);
	memory_track_release(&other);
	kill(*other_pid(), SIGKILL);
	end(&track);
}

static void execute(void)
{
	execl("/proc/self/exe", "again", NULL);
	_exit(9);
}

/* Another program has other memory at the same places. It is this test, which goes on as the child. */
static void test_another_program(void **state)
{
	static void (*const parts[])(void) = { execute };
	struct memory_track track;
	unsigned char byte = 0;

	(void)state;
	if (!begin_if_possible(&track, parts, TRACK_WRITES))
		return;
	scan(&track);
	scan(&track);
	atomic_store(step, 1);
	for (int tries = 0; tries < 10000 && byte != 9; tries++) {
		CLEANUP(memory_release) char *path = memory_format("/proc/%d/mem", (int)child);
		CLEANUP(descriptor_close) int memory = open(path, O_RDONLY | O_CLOEXEC);

		usleep(500);
		if (pread(memory, &byte, 1, (off_t)(uintptr_t)(OTHER + SIZE - 1)) < 0)
			byte = 0;
	}
	assert_int_equal(byte, 9);
	scan(&track);
	assert_changed(0, 2 * PAGES);
	scan(&track);
	scan(&track);
	assert_not_changed(0, 2 * PAGES);
	end(&track);
}

static _Noreturn void run_again(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fill(map(PLACE, SIZE), SIZE, 9);
	fill(map(OTHER, SIZE), SIZE, 9);
	for (;;)
		pause();
}

static void lock(void)
{
	/* A sanitizer's mlock() does nothing. */
	if (syscall(SYS_mlock, OTHER + 10 * PAGE, 10 * PAGE) == 0)
		*other_pid() = 1;
}

static void unlock(void)
{
	syscall(SYS_munlock, OTHER + 10 * PAGE, 10 * PAGE);
}

/* criu dumps them itself. */
static void test_locked_pages_are_left_out(void **state)
{
	static void (*const parts[])(void) = { lock, unlock };
	struct memory_track track = begin(parts, memory_track_probe());

	(void)state;
	scan(&track);
	assert_changed(0, 2 * PAGES);
	let_do(1);
	assert_int_equal(*other_pid(), 1);
	scan(&track);
	assert_not_there(PAGES + 10, PAGES + 20);
	assert_true(found.there[PAGES + 9] && found.there[PAGES + 20] && found.there[0]);
	let_do(2);
	scan(&track);
	assert_true(found.there[PAGES + 10] && found.there[PAGES + 19]);
	end(&track);
}

static void guard(void)
{
	if (madvise(PLACE, 4 * PAGE, MADV_GUARD_INSTALL) == 0)
		*other_pid() = 1;
}

static void test_guards_are_no_pages(void **state)
{
	static void (*const parts[])(void) = { guard };
	struct memory_track track = begin(parts, TRACK_NOTHING);

	(void)state;
	let_do(1);
	if (*other_pid() == 0) {
		end(&track);
		print_message("# not tried: this kernel has no guards\n");
		return;
	}
	scan(&track);
	assert_not_there(0, 4);
	assert_changed(4, 2 * PAGES);
	end(&track);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mappings_change),
		cmocka_unit_test(test_a_fork),
		cmocka_unit_test(test_another_program),
		cmocka_unit_test(test_locked_pages_are_left_out),
		cmocka_unit_test(test_guards_are_no_pages),
	};

	if (argc == 1 && strcmp(argv[0], "again") == 0)
		run_again();
	return RUN_ALL(tests);
}
