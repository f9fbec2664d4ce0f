// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that one thread moves while others look for it, and it is still missing: at each place they find what
 * belongs there, or no mapping. */
#include <pthread.h>
#include <stdlib.h>

#include "restored.h"

#define THREADS 4
#define PIECE ((size_t)4) /* pages that are moved at a time */

static atomic_bool all_moved;
static atomic_int peeking;

/* Where a page of the area is while its piece is moved. */
static unsigned char *other_place(size_t page)
{
	return page_at(page + AREA_PAGES);
}

/* Looks by way of the kernel, which says when there is no mapping at an address; in it is what belongs there, or
 * else there is none. */
struct window {
	int file;
	void *copy;
};

static int open_window(struct window *window)
{
	window->file = memfd_create("window", MFD_CLOEXEC);
	if (window->file < 0 || ftruncate(window->file, (off_t)page_bytes) < 0)
		return FAIL("memfd");
	window->copy = mmap(NULL, page_bytes, PROT_READ, MAP_SHARED, window->file, 0);
	return window->copy == MAP_FAILED ? FAIL("mmap") : 0;
}

static int peek(const struct window *window, size_t page, const void *at)
{
	if (pwrite(window->file, at, page_bytes, 0) != (ssize_t)page_bytes)
		return 0;
	return check_page(window->copy, page_id(0, page));
}

static void *peeking_main(void *data)
{
	unsigned int seed = (unsigned int)(intptr_t)data;
	struct window window;
	intptr_t failed = open_window(&window) < 0;

	peeking++;
	while (!all_moved && failed == 0) {
		size_t page = (size_t)rand_r(&seed) % AREA_PAGES;

		failed = peek(&window, page, page_at(page)) < 0 ||
			 peek(&window, page, other_place(page)) < 0;
	}
	return (void *)failed;
}

static int move_all(bool there)
{
	for (size_t i = 0; i < AREA_PAGES / PIECE; i++) {
		size_t page = i * 277 % (AREA_PAGES / PIECE) * PIECE;
		void *from = there ? page_at(page) : other_place(page);
		void *to = there ? other_place(page) : page_at(page);

		if (mremap(from, PIECE * page_bytes, PIECE * page_bytes,
			   MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
			return FAIL("mremap");
	}
	return 0;
}

/* One thread moves all, piece by piece, and the others look for it at both places. */
static int life_of_moving(size_t process)
{
	pthread_t threads[THREADS];
	intptr_t failed = 0;

	/* So that no thread's stack comes to lie there. */
	if (mmap(other_place(0), AREA_PAGES * page_bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return FAIL("mmap");
	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, peeking_main, (void *)i) != 0)
			return FAIL("no thread");
	if (wait_until(&peeking, THREADS) < 0)
		return -1;
	if (move_all(true) < 0 || move_all(false) < 0)
		return -1;
	all_moved = true;
	for (size_t i = 0; i < THREADS; i++) {
		void *outcome;

		pthread_join(threads[i], &outcome);
		failed |= (intptr_t)outcome;
	}
	return failed != 0 ? -1 : check_area(process, 0, 1);
}

static void test_moving(void **state)
{
	(void)state;
	write_memory(0);
	restore_all(1, life_of_moving);
	/* Somewhere in the middle of it all the rest begins to come. */
	usleep(20000);
	say_finished();
	assert_ends(&restored[0], 0);
	assert_ends(&guard, 0);
}

/* More than are read at a time. */
#define REPORTS 44
#define MOVED ((size_t)2048)

/* One of them looks where the page was that is moved, one where it will be, and the others elsewhere. */
static void *reporting_main(void *data)
{
	size_t number = (size_t)(intptr_t)data;
	size_t page = number == 0 || number == REPORTS - 1 ? MOVED : number * 8;
	struct window window;

	if (open_window(&window) < 0)
		return (void *)1;
	peeking++;
	return (void *)(intptr_t)(peek(&window, page,
				       number == REPORTS - 1 ? other_place(page) : page_at(page)) <
				  0);
}

static void *mover_main(void *data)
{
	(void)data;
	return (void *)(intptr_t)(mremap(page_at(MOVED), page_bytes, page_bytes,
					 MREMAP_MAYMOVE | MREMAP_FIXED,
					 other_place(MOVED)) != other_place(MOVED));
}

/* Nobody reads reports now: many wait for pages, then the move is made and waits for being read, and then somebody
 * wants what was moved. The kernel reports all faults before it. */
static int life_of_reports(size_t process)
{
	pthread_t threads[REPORTS + 1];
	intptr_t failed = 0;

	(void)process;
	if (wait_until(&shared->proceed, 1) < 0 ||
	    mmap(other_place(0), AREA_PAGES * page_bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -1;
	for (intptr_t i = 0; i <= REPORTS; i++) {
		bool moves = i == REPORTS - 1;

		if (pthread_create(&threads[i], NULL, moves ? mover_main : reporting_main,
				   (void *)(moves	   ? i
					    : i == REPORTS ? i - 1
							   : i)) != 0)
			return FAIL("no thread");
		/* One after the other. */
		usleep(moves ? 100000 : 3000);
	}
	shared->progress++;
	for (size_t i = 0; i <= REPORTS; i++) {
		void *outcome;

		pthread_join(threads[i], &outcome);
		failed |= (intptr_t)outcome;
	}
	return failed != 0 ? -1 : check_page(other_place(MOVED), page_id(0, MOVED));
}

static void test_reports_of_a_move(void **state)
{
	pid_t worker;

	(void)state;
	write_memory(0);
	assert_int_not_equal(page_id(0, MOVED), 0);
	restore_all(1, life_of_reports);
	worker = worker_of(guard.pid);
	usleep(20000);
	kill(worker, SIGSTOP);
	shared->proceed = 1;
	await_restored(&shared->progress, 1);
	kill(worker, SIGCONT);
	assert_ends(&restored[0], 0);
	say_finished();
	assert_ends(&guard, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESTORED_TEST(test_moving),
		RESTORED_TEST(test_reports_of_a_move),
	};

	return RUN_ALL(tests);
}
