/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of restored processes that comes only when they run already: what the receiver of a stream leaves in the
 * directory, and a process that then brings the rest as the sender would, what is asked for first.
 */
#ifndef FEEDER_H
#define FEEDER_H

#include "restored.h"
#include "system/image_stream.h"

#define FED_PAGES ((size_t)16) /* at a time */
#define FEED_PAUSE_US 200

static struct process feeder;
static bool misfed; /* the feeder's: something else was asked for, or could not be given */

/* Four of five pages, in pieces that do not end where anything else does. */
static inline bool is_withheld(size_t page)
{
	return page % 50 >= 10;
}

static inline int open_store(size_t process)
{
	CLEANUP(memory_release) char *store = memory_format("%s/%zu", memory, 100 + process);

	return open(store, O_WRONLY | O_CLOEXEC);
}

/* write_memory() has been called: much of it has not come after all. */
static inline void withhold_memory(size_t process)
{
	CLEANUP(memory_release)
	char *list = memory_format("%s/%zu%s", memory, 100 + process, IMAGE_MISSING_SUFFIX);
	CLEANUP(descriptor_close) int fd = open_store(process);
	CLEANUP(descriptor_close)
	int missing = open(list, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (size_t page = 0; page < AREA_PAGES; page += 10) {
		const uint64_t range[2] = { (uintptr_t)page_at(page), 10 * page_bytes };

		if (!is_withheld(page) || page + 10 > AREA_PAGES)
			continue;
		assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					   (off_t)range[0], (off_t)range[1]),
				 0);
		assert_int_equal(write(missing, range, sizeof(range)), sizeof(range));
	}
}

/* Some pages from this one on, those that were withheld; zeros as well. */
static inline void feed(size_t process, size_t first)
{
	unsigned char *bytes = memory_allocate(1, page_bytes);
	int fd = open_store(process);

	for (size_t page = first; page < first + FED_PAGES && page < AREA_PAGES / 10 * 10; page++) {
		fill_page(bytes, page_id(process, page));
		if (is_withheld(page) &&
		    pwrite(fd, bytes, page_bytes, (off_t)(uintptr_t)page_at(page)) < 0)
			misfed = true;
	}
	close(fd);
	free(bytes);
}

static inline void feed_wanted(int wanted)
{
	struct image_request request;

	while (read(wanted, &request, sizeof(request)) == sizeof(request)) {
		size_t page = (request.address - (uintptr_t)area) / page_bytes;

		if (request.process < 100 || request.zero != 0 || page >= AREA_PAGES ||
		    !is_withheld(page))
			misfed = true;
		shared->wanted++;
		feed(request.process - 100, page);
	}
}

/* All of it in the end, once it may; what is wanted always. */
static inline int feeder_main(void *data)
{
	const size_t *count = data; /* of processes */
	CLEANUP(memory_release) char *path = memory_format("%s/%s", memory, IMAGE_WANTED);
	int wanted = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t process = 0; process < *count; process++)
		for (size_t page = 0; page < AREA_PAGES;) {
			feed_wanted(wanted);
			usleep(FEED_PAUSE_US);
			if (!shared->may_feed)
				continue;
			feed(process, page);
			page += FED_PAGES;
		}
	return misfed;
}

/* The receiver's part before it answers `ready`, and then what comes. */
static inline void start_feeder(size_t count)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", memory, IMAGE_WANTED);
	struct error err = { 0 };

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(process_fork(&feeder, feeder_main, &count, NULL, 0, &err), 0);
}

/* As restore_all(), of memory that comes only afterwards. */
static inline void restore_early(size_t count, restored_life *life)
{
	for (size_t i = 0; i < count; i++) {
		write_memory(i);
		withhold_memory(i);
	}
	start_feeder(count);
	restore_all(count, life);
}

#endif
