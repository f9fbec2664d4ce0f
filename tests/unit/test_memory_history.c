// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes that do at random all that a process can do with memory, while they are given theirs: they read and
 * write, move, give back, unmap, map and split it, and fork; and know what must be in every page. */
#include <stdlib.h>
#include <sys/wait.h>

#include "feeder.h"

#define STEPS 6000
#define PIECE_PAGES 48 /* the longest that one step is about */
#define CHILDREN 4     /* at a time */
#define UNMAPPED UINT64_MAX

/* What a process knows: the content of each page of the area and the room behind it. */
struct history {
	unsigned int seed;
	uint64_t written; /* the last id of a page that was written */
	unsigned int children;
	uint64_t ids[ROOM_PAGES];
};

static struct history *history;

static size_t below(size_t limit)
{
	return (size_t)rand_r(&history->seed) % limit;
}

static bool is_mapped(size_t page, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (history->ids[page + i] == UNMAPPED)
			return false;
	return true;
}

static void note(size_t page, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		history->ids[page + i] = id;
}

static int check_piece(size_t page, size_t count)
{
	for (size_t i = page; i < page + count; i++)
		if (history->ids[i] != UNMAPPED && check_page(page_at(i), history->ids[i]) < 0)
			return -1;
	return 0;
}

static int check_all(void)
{
	size_t start = below(ROOM_PAGES);

	for (size_t i = 0; i < ROOM_PAGES; i++)
		if (check_piece((i * 1277 + start) % ROOM_PAGES, 1) < 0)
			return -1;
	return 0;
}

static int write_piece(size_t page, size_t count)
{
	for (size_t i = page; i < page + count; i++) {
		if (history->ids[i] == UNMAPPED)
			continue;
		history->ids[i] = ++history->written;
		/* All of it, or the half of it, which does not make the other half zero. */
		fill_page(page_at(i), history->ids[i]);
	}
	return 0;
}

/* Changes one word, so that the rest of the page must come. */
static int touch_piece(size_t page, size_t count)
{
	for (size_t i = page; i < page + count; i++) {
		volatile uint64_t *word = (volatile uint64_t *)(void *)page_at(i);

		if (history->ids[i] != UNMAPPED)
			word[below(page_bytes / sizeof(*word))] += 0;
	}
	return check_piece(page, count);
}

static int unmap(size_t page, size_t count)
{
	if (munmap(page_at(page), count * page_bytes) < 0)
		return FAIL("munmap");
	note(page, count, UNMAPPED);
	return 0;
}

static bool is_there(size_t page)
{
	unsigned char resident;

	return mincore(page_at(page), page_bytes, &resident) == 0;
}

/* Of several mappings some may have been moved before it failed (since Linux 6.17). Which, only their old
 * places tell, or, where those stay, the new ones. */
static int move_piece(size_t page, size_t count, int flags)
{
	size_t to = below(ROOM_PAGES - count);
	size_t bytes = count * page_bytes;
	bool stays = (flags & MREMAP_DONTUNMAP) != 0;

	if ((to < page + count && page < to + count) || !is_mapped(page, count))
		return 0;
	if (stays && unmap(to, count) < 0)
		return -1;
	if (mremap(page_at(page), bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | flags,
		   page_at(to)) != MAP_FAILED)
		shared->moves++;
	for (size_t i = 0; i < count; i++) {
		bool moved = stays ? is_there(to + i) : !is_there(page + i);

		history->ids[to + i] = moved ? history->ids[page + i] : UNMAPPED;
		if (moved)
			history->ids[page + i] = stays ? 0 : UNMAPPED;
	}
	return 0;
}

/* A mapping that is made longer has zeros at its end, whatever was there before. */
static int grow_piece(size_t page, size_t count)
{
	size_t more = 1 + below(8);

	if (page + count + more > ROOM_PAGES || !is_mapped(page, count))
		return 0;
	munmap(page_at(page + count), more * page_bytes);
	note(page + count, more, UNMAPPED);
	if (mremap(page_at(page), count * page_bytes, (count + more) * page_bytes, 0) != MAP_FAILED)
		note(page + count, more, 0);
	return 0;
}

static int give_back(size_t page, size_t count, int advice)
{
	if (!is_mapped(page, count))
		return 0;
	if (madvise(page_at(page), count * page_bytes, advice) < 0)
		return FAIL("madvise");
	note(page, count, 0);
	return 0;
}

static int map(size_t page, size_t count)
{
	if (mmap(page_at(page), count * page_bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return FAIL("mmap");
	note(page, count, 0);
	return 0;
}

static int split(size_t page, size_t count)
{
	if (!is_mapped(page, count))
		return 0;
	if (mprotect(page_at(page), count * page_bytes, PROT_READ) < 0 ||
	    check_piece(page, count) < 0 ||
	    mprotect(page_at(page), count * page_bytes, PROT_READ | PROT_WRITE) < 0)
		return FAIL("mprotect");
	return 0;
}

static int reap(bool all)
{
	int status;

	while (history->children > 0 && waitpid(-1, &status, all ? 0 : WNOHANG) > 0) {
		history->children--;
		if (status != 0)
			return shared->failure[0] != '\0' ? -1 : FAIL("a child died: %d", status);
	}
	return 0;
}

static int step(void);

/* A child has the same memory, and a history of its own from now on. */
static int fork_child(void)
{
	pid_t child;

	if (history->children >= CHILDREN)
		return reap(false);
	child = fork();
	if (child < 0)
		return FAIL("fork");
	history->children++;
	if (child > 0)
		return 0;
	history->children = CHILDREN;
	history->seed = (unsigned int)getpid();
	for (size_t i = 0; i < STEPS / 50; i++)
		if (step() < 0)
			_exit(1);
	_exit(check_all() < 0);
}

static int step(void)
{
	size_t count = 1 + below(PIECE_PAGES);
	size_t page = below(ROOM_PAGES - count);

	switch (below(12)) {
	case 0:
		return below(10) == 0 && history->children < CHILDREN ? fork_child() : 0;
	case 1:
		return write_piece(page, count);
	case 2:
	case 3:
		return move_piece(page, count, 0);
	case 4:
		return move_piece(page, count, MREMAP_DONTUNMAP);
	case 5:
		return give_back(page, count / 4 + 1, MADV_DONTNEED);
	case 6:
		return below(4) == 0 ? unmap(page, count) : 0;
	case 7:
		return below(4) == 0 ? map(page, count) : 0;
	case 8:
		return split(page, count);
	case 9:
		return touch_piece(page, count);
	case 10:
		return grow_piece(page, count);
	default:
		return check_piece(page, count);
	}
}

static int life_of_history(size_t process)
{
	struct history own = {
		.seed = (unsigned int)getpid() * 7919,
		.written = (process + 1) << 48,
	};

	history = &own;
	for (size_t i = 0; i < AREA_PAGES; i++)
		own.ids[i] = page_id(process, i);
	note(AREA_PAGES, ROOM_PAGES - AREA_PAGES, UNMAPPED);
	for (size_t i = 0; i < STEPS; i++) {
		if (i == STEPS / 4)
			shared->progress++;
		if (i == STEPS / 4 * 3 && wait_until(&shared->finished, 1) < 0)
			return -1;
		if (step() < 0 || reap(false) < 0)
			return -1;
	}
	return check_all() < 0 ? -1 : reap(true);
}

/* `later`: much of the memory comes only while all that is done. */
static void run(bool later)
{
	struct memory_record record;

	if (later) {
		restore_early(PROCESSES, life_of_history);
	} else {
		for (size_t i = 0; i < PROCESSES; i++)
			write_memory(i);
		restore_all(PROCESSES, life_of_history);
	}
	/* In the middle of it all comes what is not asked for as well. */
	await_restored(&shared->progress, PROCESSES);
	say_finished();
	if (later)
		shared->may_feed = 1;
	assert_all_end(PROCESSES, 0);
	assert_ends(&guard, 0);
	assert_int_equal(read_state(&record), MEMORY_FILLED);
	assert_true(record.filled.count.faults > 100);
	assert_true(shared->moves > PROCESSES * STEPS / 100);
	if (later)
		assert_ends(&feeder, 0);
}

static void test_history(void **state)
{
	(void)state;
	run(false);
}

static void test_history_while_memory_comes(void **state)
{
	(void)state;
	run(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESTORED_TEST(test_history),
		RESTORED_TEST(test_history_while_memory_comes),
	};

	return RUN_ALL(tests);
}
