/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container that criu has restored without its memory, as far as whoever brings the memory can tell: processes
 * with one area of memory each, of which all is missing, and criu, which is the test. What is in each page is
 * known: page N of a process has `page_id(process, N)` all over, and 0 stands for zeros.
 */
#ifndef RESTORED_H
#define RESTORED_H

#include <dirent.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/process.h"
#include "base/wait.h"
#include "criu_words.h"
#include "pagemap_write.h"
#include "system/memory_guard.h"
#include "system/memory_record.h"
#include "system/pagemap_image.h"
#include "system/proc.h"
#include "temporary.h"

#define PROCESSES 4
#define AREA_PAGES ((size_t)4096)
/* What lies behind an area is free for being moved to. */
#define ROOM_PAGES (2 * AREA_PAGES)
#define LIMIT_MS 60000

/* Seen by the test and by all processes. */
struct shared {
	atomic_int ready;    /* processes that have handed over their memory */
	atomic_int finished; /* criu has said so */
	atomic_int proceed;  /* for a test's own purposes */
	atomic_int progress; /* the same */
	atomic_int moves;    /* the same */
	atomic_int wanted;   /* how often memory was asked for that had not come (feeder.h) */
	atomic_int may_feed; /* it may come without being asked for (the same) */
	atomic_int may_end;  /* the guard may end the processes */
	atomic_int done;     /* how often it was told that criu is */
	atomic_int ended;    /* how often it has tried */
	pid_t test;
	pid_t pids[PROCESSES]; /* of the processes; 0: none */
	char failure[300];
};

typedef int restored_life(size_t process);

static struct shared *shared;
static unsigned char *area; /* at the same address in each process */
static size_t page_bytes;
static char *images;
static char *memory;
static char *record_path;
static struct process guard;
static struct process restored[PROCESSES];
static int criu = -1; /* its connection */

static inline uint64_t page_id(size_t process, size_t page)
{
	/* Every seventh is zero, and some larger pieces are. */
	if (page % 7 == 3 || page / 100 % 9 == 5)
		return 0;
	return ((uint64_t)process + 1) << 32 | (page + 1);
}

static inline void fill_page(void *at, uint64_t id)
{
	uint64_t *words = at;

	for (size_t i = 0; i < page_bytes / sizeof(*words); i++)
		words[i] = id == 0 ? 0 : id * 0x9e3779b97f4a7c15 + i;
}

/* In a process: tells the test why it fails. */
#define FAIL(...) (snprintf(shared->failure, sizeof(shared->failure), __VA_ARGS__), -1)

/* In a process: is that in the page, byte by byte? */
static inline int check_page(const void *at, uint64_t id)
{
	const uint64_t *words = at;

	for (size_t i = 0; i < page_bytes / sizeof(*words); i++) {
		uint64_t expected = id == 0 ? 0 : id * 0x9e3779b97f4a7c15 + i;

		if (words[i] != expected)
			return FAIL("page %ld of the area has %llx at word %zu, not %llx (id %llx)",
				    (long)(((uintptr_t)at - (uintptr_t)area) / page_bytes),
				    (unsigned long long)words[i], i, (unsigned long long)expected,
				    (unsigned long long)id);
	}
	return 0;
}

#define page_at(page) (area + (page)*page_bytes)

/* The same, of the area's pages from this one on, or of some of them. */
static inline int check_area(size_t process, size_t first, size_t step)
{
	for (size_t page = first; page < AREA_PAGES; page += step)
		if (check_page(page_at(page), page_id(process, page)) < 0)
			return -1;
	return 0;
}

static inline int wait_until(const atomic_int *value, int least)
{
	for (int i = 0; i < LIMIT_MS && *value < least; i++)
		usleep(1000);
	return *value >= least ? 0 : FAIL("waited in vain");
}

static inline int make_missing(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP |
			    UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP,
	};
	struct uffdio_register request = {
		.range = { .start = (uint64_t)(uintptr_t)area, .len = AREA_PAGES * page_bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 ||
	    munmap(area, ROOM_PAGES * page_bytes) < 0 ||
	    mmap(area, AREA_PAGES * page_bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != area ||
	    ioctl(fd, UFFDIO_REGISTER, &request) < 0)
		return FAIL("cannot make memory that is missing (root?)");
	return fd;
}

struct order {
	size_t process;
	restored_life *life;
};

/* A process: hands its memory over, and then does what it is for. Its pid is 100 + its number. */
static inline int restored_main(void *data)
{
	const struct order *order = data;
	int fd = make_missing();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0)
		return 2;
	say_number(criu, 100 + (int32_t)order->process);
	say_descriptors(criu, fd, 1);
	close(fd);
	close(criu);
	shared->ready++;
	return order->life(order->process) < 0 ? 1 : 0;
}

static inline void restore_one(size_t process, restored_life *life)
{
	struct order order = { .process = process, .life = life };
	struct error err = { 0 };
	int ready = shared->ready;

	assert_int_equal(process_fork(&restored[process], restored_main, &order, &criu, 1, &err),
			 0);
	shared->pids[process] = restored[process].pid;
	/* Two must not speak at once on one connection; criu has a lock for that. */
	if (wait_until(&shared->ready, ready + 1) < 0)
		fail_msg("%s", shared->failure);
}

/* What the source had sent of it: criu's image, and the store with holes where it was zero. */
static inline void write_memory(size_t process)
{
	CLEANUP(memory_release)
	char *image = memory_format("images/pagemap-%zu.img", 100 + process);
	CLEANUP(memory_release) char *store = memory_format("%s/%zu", memory, 100 + process);
	CLEANUP(text_release) struct text bytes = { 0 };
	unsigned char *page = memory_allocate(1, page_bytes);
	int fd = open(store, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	add_head(&bytes, 1);
	/* In several entries, as criu has one for each run of pages of one kind. */
	for (size_t at = 0; at < AREA_PAGES; at += 512)
		add_entry(&bytes, (uintptr_t)page_at(at), 512, PAGEMAP_LAZY);
	free(put_bytes(image, bytes.bytes, bytes.length));
	for (size_t at = 0; at < AREA_PAGES; at++) {
		fill_page(page, page_id(process, at));
		if (page_id(process, at) != 0)
			assert_int_equal(
				pwrite(fd, page, page_bytes, (off_t)(uintptr_t)page_at(at)),
				page_bytes);
	}
	close(fd);
	free(page);
}

/* The guard's: processes end when the test lets them. */
static inline void end_restored(void *data)
{
	(void)data;
	shared->ended++;
	/* Without the test nobody else would end them. */
	if (kill(shared->test, 0) < 0)
		shared->may_end = 1;
	for (size_t i = 0; i < PROCESSES && shared->may_end; i++)
		if (shared->pids[i] > 0)
			kill(-shared->pids[i], SIGKILL);
}

static inline void note_done(void *data)
{
	(void)data;
	shared->done++;
}

static inline int guard_main(void *data)
{
	return memory_guard(data);
}

static inline void start_guard(void)
{
	struct error err = { 0 };
	struct memory_guard order = {
		.fill = { .listener = lazy_socket_listen(temporary, &err),
			  .images = images,
			  .memory = memory,
			  .criu_is_done = note_done },
		.record = memory_record_make(record_path, &err),
		.end = end_restored,
	};
	const int keep[] = { order.fill.listener, order.record };

	if (order.fill.listener < 0 || order.record < 0)
		fail_msg("%s", err.text);
	assert_int_equal(process_fork(&guard, guard_main, &order, keep, 2, &err), 0);
	close(order.fill.listener);
	close(order.record);
}

static inline void connect_criu(void)
{
	criu = connect_to(temporary);
	assert_true(criu >= 0);
}

/* What there is of memory has been written: all of them, each with such a life, and the guard. */
static inline void restore_all(size_t count, restored_life *life)
{
	start_guard();
	connect_criu();
	for (size_t i = 0; i < count; i++)
		restore_one(i, life);
}

static inline void say_finished(void)
{
	say_number(criu, FINISHED);
	descriptor_close(&criu);
	shared->finished = 1;
}

static inline enum memory_state read_state(struct memory_record *record)
{
	struct error err = { 0 };

	if (memory_record_read(record_path, record, &err) < 0)
		fail_msg("%s", err.text);
	return record->state;
}

static inline void await_state(enum memory_state state, const char *reason)
{
	struct memory_record record;

	for (int i = 0; i < LIMIT_MS && read_state(&record) != state; i++)
		usleep(1000);
	assert_int_equal(record.state, state);
	if (reason != NULL && strstr(record.reason.text, reason) == NULL)
		fail_msg("not '%s': %s", reason, record.reason.text);
}

static inline void assert_ends(struct process *process, int status)
{
	struct error err = { 0 };
	int ended = process_wait(process, LIMIT_MS, &err);

	if (ended < 0)
		fail_msg("%s", err.text);
	if (ended != status)
		fail_msg("status %d, not %d: %s", ended, status, shared->failure);
	process_release(process);
}

static inline void assert_all_end(size_t count, int status)
{
	for (size_t i = 0; i < count; i++)
		assert_ends(&restored[i], status);
}

/* Waits until all processes have come somewhere; that none of them ends before is part of it. */
static inline void await_restored(const atomic_int *value, size_t count)
{
	while (*value < (int)count) {
		for (size_t i = 0; i < count; i++) {
			int status;

			if (process_ended(&restored[i], &status) == 1)
				fail_msg("a process has ended with status %d: %s", status,
					 shared->failure);
		}
		usleep(1000);
	}
}

/* The guard's worker. */
static inline pid_t worker_of(pid_t parent)
{
	for (int i = 0; i < 1000; i++) {
		DIR *processes = opendir("/proc");
		struct dirent *entry;
		pid_t found = 0;

		assert_non_null(processes);
		while ((entry = readdir(processes)) != NULL)
			if (proc_parent(atoi(entry->d_name)) == parent)
				found = atoi(entry->d_name);
		closedir(processes);
		if (found > 0)
			return found;
		usleep(1000);
	}
	fail_msg("process %d has no child", (int)parent);
	return 0;
}

static inline int set_up_restored(void **state)
{
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	if (make_temporary(state) < 0)
		return -1;
	images = in_temporary("images");
	memory = memory_format("/dev/shm/%s", temporary + strlen("/tmp/"));
	record_path = in_temporary("record");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	area = mmap(NULL, ROOM_PAGES * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || area == MAP_FAILED)
		return -1;
	shared->test = getpid();
	guard = (struct process)PROCESS_NONE;
	for (size_t i = 0; i < PROCESSES; i++)
		restored[i] = (struct process)PROCESS_NONE;
	return mkdir(images, 0700) < 0 || mkdir(memory, 0700) < 0 ? -1 : 0;
}

static inline int tear_down_restored(void **state)
{
	struct error ignored;

	for (size_t i = 0; i < PROCESSES; i++) {
		if (restored[i].pid > 0)
			kill(-restored[i].pid, SIGKILL);
		process_release(&restored[i]);
	}
	if (guard.pid > 0)
		kill(guard.pid, SIGKILL);
	process_release(&guard);
	descriptor_close(&criu);
	munmap(area, ROOM_PAGES * page_bytes);
	munmap(shared, sizeof(*shared));
	file_remove_tree(memory, &ignored);
	free(images);
	free(memory);
	free(record_path);
	return remove_temporary(state);
}

#define RESTORED_TEST(test)                                                                        \
	cmocka_unit_test_setup_teardown(test, set_up_restored, tear_down_restored)

#endif
