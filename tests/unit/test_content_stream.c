// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared and locked memory, sent while the processes go on: what criu would write of it in the stop has arrived, whoever
 * has it, whatever was done to it between rounds; and what is gone takes no memory over there. */
#include <sys/shm.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "memory_ends.h"

/* All pages of a container that criu writes into its images, as it does. */
static void write_pages(const struct container *container, const char *path)
{
	CLEANUP(text_release) struct text pages = { 0 };
	CLEANUP(memory_release) char *maps = memory_format("/proc/%d/smaps", (int)container->init);
	CLEANUP(memory_release) char *mem = memory_format("/proc/%d/mem", (int)container->init);
	CLEANUP(descriptor_close) int memory = open(mem, O_RDONLY | O_CLOEXEC);
	FILE *file = fopen(maps, "re");
	uint64_t start = 0;
	uint64_t end = 0;
	size_t capacity = 0;
	char *line = NULL;
	bool shared = false;

	assert_non_null(file);
	assert_true(memory >= 0);
	while (getline(&line, &capacity, file) > 0) {
		char permissions[8];
		uint64_t range[2];
		char *bytes;

		if (sscanf(line, "%lx-%lx %7s", &range[0], &range[1], permissions) == 3) {
			start = range[0];
			end = range[1];
			shared = permissions[3] == 's';
		}
		if (!text_starts_with(line, "VmFlags:") ||
		    (!shared && strstr(line, " lo ") == NULL))
			continue;
		bytes = memory_allocate(end - start, 1);
		/* Behind the end of its object there is nothing. */
		if (pread(memory, bytes, end - start, (off_t)start) == (ssize_t)(end - start))
			text_append(&pages, bytes, end - start);
		free(bytes);
	}
	free(line);
	fclose(file);
	assert_true(pages.length > 0);
	assert_int_equal(file_write(path, &pages, 0644, &err), 0);
}

/* What criu would have written goes over; all of it arrives. Returns the bytes that were sent. */
static int64_t dump(const struct container *container, struct ends *ends)
{
	CLEANUP(memory_release) char *from = make_directory("from");
	CLEANUP(memory_release) char *to = make_directory("to");
	CLEANUP(memory_release) char *image = in_temporary("from/pages-1.img");
	CLEANUP(memory_release) char *kept = in_temporary("kept");
	CLEANUP(memory_release) char *received = in_temporary("to/pages-1.img");
	CLEANUP(descriptor_close) int stream = memfd_create("stream", MFD_CLOEXEC);
	CLEANUP(text_release) struct text content = { 0 };
	CLEANUP(text_release) struct text arrived = { 0 };
	struct image_source source = { from, &ends->index };
	struct image_target target = { to, ends->target };
	int control[2];
	struct image_traffic traffic;

	write_pages(container, kept);
	assert_int_equal(file_read(kept, (size_t)1 << 30, &content, &err), 0);
	assert_int_equal(file_write(image, &content, 0644, &err), 0);
	assert_int_equal(pipe2(control, O_CLOEXEC), 0);
	close(control[1]);
	if (image_send(&source, control[0], stream, false, &traffic, &err) < 0)
		fail_msg("%s", err.text);
	close(control[0]);
	lseek(stream, 0, SEEK_SET);
	if (image_receive(&target, stream, -1, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(file_read(received, (size_t)1 << 30, &arrived, &err), 0);
	assert_int_equal(arrived.length, content.length);
	assert_memory_equal(text_string(&arrived), text_string(&content), content.length);
	print_message("# of %zu KiB %lld were sent\n", content.length >> 10,
		      (long long)traffic.sent >> 10);
	return traffic.sent;
}

static size_t used(const struct ends *ends)
{
	struct statfs status;

	assert_int_equal(statfs(ends->target, &status), 0);
	return (size_t)(status.f_blocks - status.f_bfree) * (size_t)status.f_bsize;
}

/* What a round has sent has arrived when it is over: nothing need be waited for. */
static size_t round_adds(struct ends *ends, struct memory_round *round)
{
	size_t before = used(ends);

	*round = run_round(ends);
	return used(ends) > before ? used(ends) - before : 0;
}

#define SMALL ((int64_t)128 << 10)

static unsigned char *map_shared(size_t size, int fd)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (memory == MAP_FAILED)
		_exit(98);
	return memory;
}

/* A memfd that nobody can write to any more. */
static void make_sealed(void)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	unsigned char *memory;

	if (ftruncate(fd, 4 * MIB) < 0)
		_exit(97);
	memory = map_shared(4 * MIB, fd);
	fill(memory, 4 * MIB, 20);
	munmap(memory, 4 * MIB);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
	    mmap(NULL, 4 * MIB, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
		_exit(97);
}

/* Sanitizers replace mlock() by nothing. */
static void lock(const void *memory, size_t size)
{
	if (syscall(SYS_mlock, memory, size) < 0)
		_exit(96);
}

/* One of each kind; a child has them too, and writes. */
static void run_all_kinds(atomic_int *step)
{
	unsigned char *anonymous = map_shared(8 * MIB, -1);
	unsigned char *locked = map(NULL, 2 * MIB);
	int id = shmget(IPC_PRIVATE, 2 * MIB, IPC_CREAT | 0600);
	unsigned char *segment = shmat(id, NULL, 0);
	int turns[2];

	if (segment == (void *)-1 || pipe2(turns, O_CLOEXEC) < 0)
		_exit(95);
	/* It goes with the last process. */
	shmctl(id, IPC_RMID, NULL);
	fill(anonymous, 8 * MIB, 10);
	fill(segment, 2 * MIB, 11);
	fill(locked, 2 * MIB, 12);
	lock(locked, 2 * MIB);
	make_sealed();
	if (fork() == 0) {
		char turn;

		while (read(turns[0], &turn, 1) == 1) {
			anonymous[3 * MIB] ^= 1;
			segment[MIB] ^= 1;
			anonymous[0] = 77;
		}
	}
	for (;;) {
		int next = container_next(step);

		if (next == 2) {
			if (write(turns[1], "x", 1) != 1)
				_exit(94);
			while (*(volatile unsigned char *)anonymous != 77)
				usleep(100);
			locked[MIB] ^= 1;
		}
		atomic_store(step, -next);
	}
}

static void test_each_kind_is_sent_once(void **state)
{
	static struct container container;
	struct memory_round round;
	struct ends ends;
	size_t added;

	(void)state;
	container_start(&container, run_all_kinds);
	container_do(&container, 1);
	start_ends(&ends, container.init, memory_track_probe());
	added = round_adds(&ends, &round);
	assert_int_equal(round.processes, 2);
	/* Whoever else has it. */
	assert_in_range(round.dumped, 16 * MIB, 16 * MIB + 64 * page_size());
	assert_in_range(added, 16 * MIB, 16 * MIB + (size_t)round.resident + 64 * page_size());
	assert_true(round.sent >= (int64_t)(16 * MIB));
	round_adds(&ends, &round);
	assert_true(round.sent < SMALL);
	container_do(&container, 2);
	round_adds(&ends, &round);
	assert_in_range(round.sent, 4 * page_size(), SMALL);
	assert_in_range(round.dumped, 16 * MIB, 16 * MIB + 64 * page_size());
	container_freeze(&container);
	run_last(&ends);
	assert_true(dump(&container, &ends) < SMALL);
	release_ends(&ends);
	container_end(&container);
}

/* What has changed since the last round is sent as it is, and nothing else. */
static void test_what_changed_late_is_sent(void **state)
{
	static struct container container;
	struct ends ends;

	(void)state;
	container_start(&container, run_all_kinds);
	container_do(&container, 1);
	start_ends(&ends, container.init, memory_track_probe());
	run_round(&ends);
	container_do(&container, 2);
	container_freeze(&container);
	run_last(&ends);
	assert_in_range(dump(&container, &ends), 4 * page_size(), 4 * page_size() + SMALL);
	release_ends(&ends);
	container_end(&container);
}

static void resize(int fd, size_t size)
{
	if (ftruncate(fd, (off_t)size) < 0)
		_exit(93);
}

/* Objects come and go, grow, shrink, get holes, and are full of pages that are alike. */
static void run_changing(atomic_int *step)
{
	int growing = memfd_create("growing", MFD_CLOEXEC);
	int open_only = memfd_create("open", MFD_CLOEXEC);
	unsigned char *memory;
	unsigned char *other = NULL;

	resize(growing, 16 * MIB);
	memory = map_shared(16 * MIB, growing);
	resize(growing, 4 * MIB);
	fill(memory, 4 * MIB, 30);
	resize(open_only, MIB);
	for (;;) {
		int next = container_next(step);

		if (next == 2) {
			resize(growing, 16 * MIB);
			fill(memory + 4 * MIB, 12 * MIB, 31);
		}
		if (next == 3) {
			resize(growing, 8 * MIB);
			resize(growing, 16 * MIB);
			memset(memory + MIB, 0, MIB);
			madvise(memory, MIB, MADV_REMOVE);
		}
		if (next == 4) {
			other = map_shared(6 * MIB, -1);
			memset(other, 1, 6 * MIB);
		}
		if (next == 5) {
			munmap(other, 6 * MIB);
			/* No mapping has it. */
			if (pwrite(open_only, memory + 2 * MIB, MIB, 0) != (ssize_t)MIB)
				_exit(92);
		}
		atomic_store(step, -next);
	}
}

static void assert_used(const struct ends *ends, int64_t resident, size_t size)
{
	assert_in_range(used(ends), size, size + (size_t)resident + 64 * page_size());
}

static void test_objects_change_between_rounds(void **state)
{
	static struct container container;
	struct memory_round round;
	struct ends ends;

	(void)state;
	container_start(&container, run_changing);
	container_do(&container, 1);
	start_ends(&ends, container.init, memory_track_probe());
	round_adds(&ends, &round);
	assert_used(&ends, round.resident, 4 * MIB);
	container_do(&container, 2);
	round_adds(&ends, &round);
	assert_used(&ends, round.resident, 16 * MIB);
	container_do(&container, 3);
	round_adds(&ends, &round);
	assert_true(round.sent < SMALL);
	assert_used(&ends, round.resident, 6 * MIB);
	container_do(&container, 4);
	round_adds(&ends, &round);
	assert_used(&ends, round.resident, 12 * MIB);
	container_do(&container, 5);
	round_adds(&ends, &round);
	assert_true(round.sent > (int64_t)MIB);
	assert_used(&ends, round.resident, 7 * MIB);
	container_freeze(&container);
	run_last(&ends);
	assert_true(dump(&container, &ends) < SMALL);
	release_ends(&ends);
	container_end(&container);
}

/* Where a container pretends to have what it has not, or more than there can be. */
static void run_odd(atomic_int *step)
{
	int huge = memfd_create("huge", MFD_CLOEXEC);
	int named = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	unsigned char *memory = map_shared(MIB, -1);

	fill(memory, MIB, 40);
	if (ftruncate(huge, INT64_MAX / 2) < 0 || pwrite(huge, memory, MIB, 0) < 0 ||
	    pwrite(huge, memory, page_size(), (off_t)1 << 61) < 0 ||
	    pwrite(huge, memory, page_size(), (off_t)1 << 45) < 0)
		_exit(91);
	/* A file, shared: none of ours. */
	resize(named, MIB);
	fill(map_shared(MIB, named), MIB, 41);
	for (;;) {
		int next = container_next(step);

		atomic_store(step, -next);
	}
}

static void test_odd_objects(void **state)
{
	static struct container container;
	struct memory_round round;
	struct ends ends;

	(void)state;
	container_start(&container, run_odd);
	container_do(&container, 1);
	start_ends(&ends, container.init, memory_track_probe());
	round_adds(&ends, &round);
	assert_in_range(round.dumped, 2 * MIB, 2 * MIB + 64 * page_size());
	assert_used(&ends, round.resident, 2 * MIB);
	round_adds(&ends, &round);
	assert_true(round.sent < SMALL);
	release_ends(&ends);
	container_end(&container);
}

/* Nobody keeps what is to be noted: rounds go on without it. */
static void test_no_room(void **state)
{
	static struct container container;
	struct memory_round round;
	struct ends ends;

	(void)state;
	container_start(&container, run_all_kinds);
	container_do(&container, 1);
	start_ends_with(&ends, container.init, memory_track_probe(), 4);
	round_adds(&ends, &round);
	assert_in_range(round.sent, MIB, MIB + (size_t)(round.resident + SMALL));
	assert_true(round.dumped >= (int64_t)(16 * MIB));
	container_freeze(&container);
	run_last(&ends);
	assert_in_range(dump(&container, &ends), 14 * MIB, 17 * MIB);
	release_ends(&ends);
	container_end(&container);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_each_kind_is_sent_once),
		STREAM_TEST(test_what_changed_late_is_sent),
		STREAM_TEST(test_objects_change_between_rounds),
		STREAM_TEST(test_odd_objects),
		STREAM_TEST(test_no_room),
	};

	return hide_mounts() ? RUN_ALL(tests) : 99;
}
