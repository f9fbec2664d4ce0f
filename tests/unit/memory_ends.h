/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of the memory stream share: the sender and a receiver as processes, what criu's images would say
 * of the container, and the comparison of what has arrived with what is there.
 */
#ifndef MEMORY_ENDS_H
#define MEMORY_ENDS_H

#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/process.h"
#include "memory_container.h"
#include "pagemap_write.h"
#include "system/image_stream.h"
#include "system/mappings.h"
#include "system/memory_send.h"
#include "system/page_scan.h"
#include "system/pagemap_image.h"

static struct error err;

/* The sender and the receiver, as processes. */
struct ends {
	struct process sender;
	struct process receiver;
	int control; /* ours */
	int orders;  /* the sender's */
	int output;
	int input;
	int answers; /* the receiver's */
	struct content_index index;
	char *target;
	char *images;
	struct memory_send order;
};

static inline int run_sender(void *data)
{
	struct ends *ends = data;
	struct error failure = { 0 };
	struct image_traffic traffic;

	if (memory_send(&ends->order, ends->orders, ends->output, true, &traffic, &failure) == 0)
		return 0;
	dprintf(2, "# sender: %s\n", failure.text);
	return 1;
}

static inline int run_receiver(void *data)
{
	struct ends *ends = data;
	struct error failure = { 0 };

	if (image_receive(&(struct image_target){ .directory = ends->target }, ends->input,
			  ends->answers, &failure) == 0)
		return 0;
	dprintf(2, "# receiver: %s\n", failure.text);
	return 1;
}

/* Does this kernel have that way? Where it has not, the test says so. */
static inline bool can_track(enum track_method method)
{
	bool can = method == TRACK_NOTHING  ? true
		   : method == TRACK_WRITES ? memory_track_probe() == TRACK_WRITES
					    : page_scan_has_soft_dirty();

	if (!can)
		print_message("# this kernel has no %s\n", memory_track_words(method));
	return can;
}

/* With room to note so many blocks of memory that criu dumps. */
static inline void start_ends_with(struct ends *ends, pid_t init, enum track_method method,
				   uint32_t blocks)
{
	*ends = (struct ends){ .sender = PROCESS_NONE, .receiver = PROCESS_NONE };
	ends->target = in_temporary("memory");
	ends->images = in_temporary("images");
	assert_int_equal(mkdir(ends->target, 0700), 0);
	assert_int_equal(mkdir(ends->images, 0700), 0);
	/* Other file systems have no files as large as an address. */
	assert_int_equal(mount("memory", ends->target, "tmpfs", 0, NULL), 0);
	ends->order.init = init;
	ends->order.method = method;
	assert_int_equal(content_index_make(&ends->index, &err), 0);
	ends->index.capacity = blocks < ends->index.capacity ? blocks : ends->index.capacity;
	ends->order.index = &ends->index;
	assert_int_equal(process_stream(&ends->order.answers, &ends->answers, &err), 0);
	assert_int_equal(process_stream(&ends->control, &ends->orders, &err), 0);
	assert_int_equal(process_stream(&ends->output, &ends->input, &err), 0);
	assert_int_equal(
		process_fork(&ends->sender, run_sender, ends,
			     (const int[]){ ends->orders, ends->output, ends->order.answers }, 3,
			     &err),
		0);
	assert_int_equal(process_fork(&ends->receiver, run_receiver, ends,
				      (const int[]){ ends->input, ends->answers }, 2, &err),
			 0);
	descriptor_close(&ends->orders);
	descriptor_close(&ends->output);
	descriptor_close(&ends->input);
	descriptor_close(&ends->answers);
	descriptor_close(&ends->order.answers);
}

static inline void start_ends(struct ends *ends, pid_t init, enum track_method method)
{
	start_ends_with(ends, init, method, UINT32_MAX);
}

static inline void tell(struct ends *ends, enum memory_order_kind kind)
{
	struct memory_order order = { .kind = (int32_t)kind };

	memcpy(order.images, ends->images, strlen(ends->images));
	assert_int_equal(send(ends->control, &order, sizeof(order), MSG_NOSIGNAL), sizeof(order));
}

static inline struct memory_round hear(struct ends *ends)
{
	struct memory_round round = { 0 };

	assert_int_equal(recv(ends->control, &round, sizeof(round), MSG_WAITALL), sizeof(round));
	return round;
}

static inline struct memory_round run_round(struct ends *ends)
{
	tell(ends, MEMORY_ROUND);
	return hear(ends);
}

static inline struct memory_round run_last(struct ends *ends)
{
	tell(ends, MEMORY_LAST);
	return hear(ends);
}

static inline void finish_ends(struct ends *ends)
{
	tell(ends, MEMORY_FINISH);
	assert_int_equal(process_wait(&ends->sender, 60000, &err), 0);
	assert_int_equal(process_wait(&ends->receiver, 60000, &err), 0);
}

static inline void release_ends(struct ends *ends)
{
	process_release(&ends->sender);
	process_release(&ends->receiver);
	descriptor_close(&ends->control);
	content_index_release(&ends->index);
	umount(ends->target);
	memory_release(&ends->target);
	memory_release(&ends->images);
}

/* Both: what criu's images would say of a process, and what it has. */
static inline pid_t pid_inside(pid_t pid)
{
	CLEANUP(text_release) struct text status = { 0 };
	const char *line;
	int outside;
	int inside;

	assert_true(proc_read(pid, "status", &status));
	line = strstr(text_string(&status), "\nNSpid:");
	assert_non_null(line);
	assert_int_equal(sscanf(line, "\nNSpid: %d %d", &outside, &inside), 2);
	return (pid_t)inside;
}

/* By the entries of pagemap, one by one: not the way that is under test. */
static inline bool is_page(int pagemap, uint64_t address)
{
	uint64_t entry = 0;

	assert_int_equal(pread(pagemap, &entry, sizeof(entry), (off_t)(address / page_size() * 8)),
			 sizeof(entry));
	return entry >> 62 != 0 && (entry >> 58 & 1) == 0;
}

static inline void write_image(struct ends *ends, pid_t pid)
{
	CLEANUP(mappings_release) struct mappings mappings = { 0 };
	CLEANUP(memory_release)
	char *path = memory_format("%s/pagemap-%d.img", ends->images, (int)pid_inside(pid));
	CLEANUP(descriptor_close) int pagemap = page_scan_open(pid);
	CLEANUP(text_release) struct text image = { 0 };

	assert_true(pagemap >= 0);
	assert_int_equal(mappings_read(pid, &mappings, &err), 0);
	add_head(&image, 1);
	for (size_t i = 0; i < mappings.count; i++) {
		uint64_t end;

		/* None of ours: a sanitizer's. To ask for each page of it would take days. */
		if (mappings.items[i].end - mappings.items[i].start > 1 << 30)
			continue;
		for (uint64_t at = mappings.items[i].start; at < mappings.items[i].end; at = end) {
			end = at + page_size();
			if (!is_page(pagemap, at))
				continue;
			while (end < mappings.items[i].end && is_page(pagemap, end))
				end += page_size();
			add_entry(&image, at, (end - at) / page_size(), PAGEMAP_LAZY);
		}
	}
	assert_int_equal(file_write(path, &image, 0644, &err), 0);
}

static inline void compare_page(int memory, int store, pid_t pid, uint64_t at)
{
	static unsigned char theirs[1 << 16];
	static unsigned char stored[1 << 16];
	size_t size = page_size();

	memset(stored, 0, size);
	assert_int_equal(pread(memory, theirs, size, (off_t)at), size);
	assert_true(pread(store, stored, size, (off_t)at) >= 0);
	if (memcmp(theirs, stored, size) != 0)
		fail_msg("process %d differs at %#llx: %02x there, %02x in the store", (int)pid,
			 (unsigned long long)at, theirs[0], stored[0]);
}

static inline uint64_t compare(const struct ends *ends, pid_t pid)
{
	int inside = (int)pid_inside(pid);
	CLEANUP(memory_release)
	char *name = memory_format("%s/pagemap-%d.img", ends->images, inside);
	CLEANUP(memory_release) char *path = memory_format("%s/%d", ends->target, inside);
	CLEANUP(memory_release) char *mem = memory_format("/proc/%d/mem", (int)pid);
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
	CLEANUP(descriptor_close) int store = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(descriptor_close) int memory = open(mem, O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint64_t pages = 0;

	assert_true(memory >= 0);
	if (store < 0)
		fail_msg("nothing came for process %d", inside);
	assert_int_equal(fstat(store, &status), 0);
	assert_int_equal(pagemap_image_read(name, &image, &err), 0);
	for (size_t i = 0; i < image.count; i++)
		for (uint64_t k = 0; k < image.ranges[i].pages; k++, pages++) {
			uint64_t at = image.ranges[i].start + k * page_size();

			assert_true(at + page_size() <= (uint64_t)status.st_size);
			compare_page(memory, store, pid, at);
		}
	return pages;
}

struct pids {
	pid_t items[200];
	size_t count;
};

static inline void add_pid(pid_t pid, void *data)
{
	struct pids *pids = data;

	assert_true(pids->count < COUNT_OF(pids->items));
	pids->items[pids->count++] = pid;
}

/* The end of each test: from the freeze on. */
static inline void freeze_and_compare(struct container *container, struct ends *ends)
{
	struct pids pids = { .count = 0 };
	struct memory_round last;
	uint64_t pages = 0;

	container_freeze(container);
	last = run_last(ends);
	assert_int_equal(cgroup_visit(container->cgroup, add_pid, &pids, &err), 0);
	assert_int_equal(last.processes, pids.count);
	for (size_t i = 0; i < pids.count; i++)
		write_image(ends, pids.items[i]);
	finish_ends(ends);
	for (size_t i = 0; i < pids.count; i++)
		pages += compare(ends, pids.items[i]);
	assert_true(pages > 0);
	print_message("# %zu processes, %llu pages, last: %lld KiB changed, %lld open, %lld ms\n",
		      pids.count, (unsigned long long)pages, (long long)last.changed >> 10,
		      (long long)last.open >> 10, (long long)last.milliseconds);
}

#define MIB ((size_t)1 << 20)

static inline void *map(void *where, size_t size)
{
	void *memory = mmap(where, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | (where != NULL ? MAP_FIXED : 0), -1, 0);

	if (memory == MAP_FAILED)
		_exit(98);
	return memory;
}

/* Different in every page, and each time. */
static inline void fill(void *memory, size_t size, unsigned int seed)
{
	uint64_t *words = memory;
	uint64_t value = seed * 0x9e3779b97f4a7c15ULL + 1;

	for (size_t i = 0; i < size / sizeof(*words); i++) {
		value ^= value << 13;
		value ^= value >> 7;
		value ^= value << 17;
		words[i] = value;
	}
}

/* What is mounted goes with the test, whatever becomes of it. Before the tests; false on failure. */
static inline bool hide_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#define STREAM_TEST(function)                                                                      \
	cmocka_unit_test_setup_teardown(function, make_temporary, container_remove)

#endif
