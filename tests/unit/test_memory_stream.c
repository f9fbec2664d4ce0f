// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory of processes that go on meanwhile: only what changed is sent, and nothing is missing. */
#include <linux/io_uring.h>
#include <sys/statfs.h>

#include "memory_ends.h"

static void throw_away_and_read(unsigned char *memory)
{
	madvise(memory, MIB, MADV_DONTNEED);
	for (size_t i = 0; i < MIB; i += page_size())
		if (*(volatile unsigned char *)(memory + i) != 0)
			_exit(9);
}

/* Two regions that stay, one of which is written to all the time; nothing else happens. */
static void run_quiet(atomic_int *step)
{
	unsigned char *still = map(NULL, 8 * MIB);
	unsigned char *hidden = map(NULL, MIB);
	unsigned char *fresh = map(NULL, MIB);

	fill(still, 8 * MIB, 1);
	/* What the process itself cannot read travels as well. */
	fill(hidden, MIB, 2);
	mprotect(hidden, MIB, PROT_NONE);
	for (;;) {
		int next = container_next(step);

		if (next == 2)
			still[3 * MIB] ^= 1;
		if (next == 3)
			memset(still + 4 * MIB, 0, MIB);
		if (next == 4) {
			/* From here on the kernel's zeros: in a mapping that is followed, and in one
			 * that has come to a place that was. */
			throw_away_and_read(still + 5 * MIB);
			if (mremap(fresh, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED, still) != still)
				_exit(9);
			throw_away_and_read(still);
		}
		atomic_store(step, -next);
	}
}

/* What does not change is sent once; one byte is one page. */
static void test_only_what_changed_is_sent(void **state)
{
	static struct container container;
	struct ends ends;
	struct memory_round round;

	(void)state;
	container_start(&container, run_quiet);
	container_do(&container, 1);
	start_ends(&ends, container.init, memory_track_probe());
	round = run_round(&ends);
	assert_int_equal(round.processes, 1);
	assert_true(round.resident >= (int64_t)(8 * MIB));
	assert_int_equal(round.changed, round.resident);
	assert_true(round.sent >= (int64_t)(8 * MIB));
	round = run_round(&ends);
	if (memory_track_probe() == TRACK_WRITES) {
		assert_int_equal(round.untracked, 0);
		assert_true(round.changed < (int64_t)(256 << 10));
	}
	assert_true(round.sent < (int64_t)(64 << 10));
	container_do(&container, 2);
	round = run_round(&ends);
	assert_true(round.sent >= (int64_t)page_size());
	assert_true(round.sent < (int64_t)(64 << 10));
	/* Zeros need nothing but to be told of. */
	container_do(&container, 3);
	round = run_round(&ends);
	assert_true(round.sent < (int64_t)(64 << 10));
	container_do(&container, 4);
	freeze_and_compare(&container, &ends);
	release_ends(&ends);
	container_end(&container);
}

/* What a process gives back is given back over there, and what is left of one that has ended. */
static void run_generous(atomic_int *step)
{
	unsigned char *memory = map(NULL, 32 * MIB);
	pid_t pid;

	fill(memory, 32 * MIB, 1);
	pid = fork();
	while (pid == 0)
		pause();
	for (;;) {
		int next = container_next(step);

		if (next == 2) {
			madvise(memory, 16 * MIB, MADV_DONTNEED);
			munmap(memory + 16 * MIB, 8 * MIB);
			memset(memory + 24 * MIB, 0, 4 * MIB);
		}
		if (next == 3) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		atomic_store(step, -next);
	}
}

static size_t used(const struct ends *ends)
{
	struct statfs status;

	/* What was sent has arrived soon. */
	usleep(300000);
	assert_int_equal(statfs(ends->target, &status), 0);
	return (size_t)(status.f_blocks - status.f_bfree) * (size_t)status.f_bsize;
}

static void test_what_is_gone_is_gone_there(void **state)
{
	static struct container container;
	struct ends ends;
	size_t all;
	size_t less;

	(void)state;
	container_start(&container, run_generous);
	container_do(&container, 1);
	start_ends(&ends, container.init, memory_track_probe());
	run_round(&ends);
	all = used(&ends);
	assert_true(all >= 64 * MIB);
	container_do(&container, 2);
	run_round(&ends);
	less = used(&ends);
	assert_true(all - less >= 28 * MIB - MIB);
	assert_true(all - less <= 28 * MIB + MIB);
	container_do(&container, 3);
	run_round(&ends);
	assert_true(less - used(&ends) >= 32 * MIB);
	freeze_and_compare(&container, &ends);
	release_ends(&ends);
	container_end(&container);
}

/* Without a library: a ring with one buffer that the kernel has pinned. */
static struct {
	int fd;
	unsigned char *queue; /* both queues' heads and tails */
	struct io_uring_sqe *entries;
	struct io_uring_params parameters;
	int pipe[2];
	unsigned char *buffer;
	bool possible;
} * ring;

static void run_ring(atomic_int *step)
{
	ring->buffer = map(NULL, MIB);
	fill(ring->buffer, MIB, 1);
	for (;;) {
		int next = container_next(step);

		if (next == 1) {
			struct iovec pinned = { ring->buffer, MIB };

			ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->parameters);
			ring->queue = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
					   IORING_OFF_SQ_RING);
			ring->entries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
					     ring->fd, (off_t)IORING_OFF_SQES);
			ring->possible = ring->fd >= 0 && pipe2(ring->pipe, O_CLOEXEC) == 0 &&
					 syscall(SYS_io_uring_register, ring->fd,
						 IORING_REGISTER_BUFFERS, &pinned, 1) == 0;
		}
		if (next == 2) {
			unsigned int *array =
				(unsigned int *)(void *)(ring->queue +
							 ring->parameters.sq_off.array);
			atomic_uint *tail =
				(atomic_uint *)(void *)(ring->queue + ring->parameters.sq_off.tail);

			ring->entries[0] = (struct io_uring_sqe){
				.opcode = IORING_OP_READ_FIXED,
				.fd = ring->pipe[0],
				.addr = (uintptr_t)ring->buffer + 5 * 4096,
				.len = 5,
			};
			array[0] = 0;
			atomic_fetch_add(tail, 1);
			if (write(ring->pipe[1], "hello", 5) != 5 ||
			    syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS,
				    NULL, 0) != 1 ||
			    memcmp(ring->buffer + 5 * 4096, "hello", 5) != 0)
				_exit(9);
		}
		atomic_store(step, -next);
	}
}

/* A page is written without a fault: by whoever has it pinned since before it was looked at. */
static void test_pages_that_a_device_writes(void **state)
{
	static struct container container;
	struct ends ends;
	bool possible;

	(void)state;
	ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(ring != MAP_FAILED);
	container_start(&container, run_ring);
	container_do(&container, 1);
	possible = ring->possible;
	if (possible) {
		start_ends(&ends, container.init, memory_track_probe());
		run_round(&ends);
		container_do(&container, 2);
		run_round(&ends);
		freeze_and_compare(&container, &ends);
		release_ends(&ends);
	}
	container_end(&container);
	munmap(ring, sizeof(*ring));
	if (!possible)
		print_message("# not tried: this kernel has no io_uring for us\n");
}

/* A page of data that has a file behind it: no mapping that is sent in rounds. */
static unsigned char data_page[2 * 4096] __attribute__((aligned(4096))) = { 1 };

static void run_data(atomic_int *step)
{
	data_page[4096] = 77;
	for (;;)
		atomic_store(step, -container_next(step));
}

static void write_image_of(struct ends *ends, uint64_t start, uint64_t pages, uint32_t flags)
{
	CLEANUP(memory_release) char *path = memory_format("%s/pagemap-1.img", ends->images);
	CLEANUP(text_release) struct text image = { 0 };

	add_head(&image, 1);
	add_entry(&image, start, pages, flags);
	assert_int_equal(file_write(path, &image, 0644, &err), 0);
}

/* The images have the last word: whatever they call lazy is sent, or it is an error. */
static void test_the_images_decide(void **state)
{
	const uint64_t here = (uintptr_t)data_page;
	const struct {
		uint64_t start;
		uint32_t flags;
		int status;
	} kinds[] = {
		{ here, PAGEMAP_LAZY, 0 },
		{ 0x10000, PAGEMAP_LAZY, 1 },
		/* Those that criu has itself are none of ours. */
		{ 0x10000, PAGEMAP_LAZY | PAGEMAP_PRESENT, 0 },
		{ 0x10000, PAGEMAP_PRESENT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		static struct container container;
		struct ends ends;

		container_start(&container, run_data);
		container_do(&container, 1);
		start_ends(&ends, container.init, memory_track_probe());
		run_round(&ends);
		container_freeze(&container);
		run_last(&ends);
		write_image_of(&ends, kinds[i].start, 2, kinds[i].flags);
		tell(&ends, MEMORY_FINISH);
		assert_int_equal(process_wait(&ends.sender, 60000, &err), kinds[i].status);
		assert_int_equal(process_wait(&ends.receiver, 60000, &err), kinds[i].status);
		if (kinds[i].start == here)
			assert_int_equal(compare(&ends, container.init), 2);
		release_ends(&ends);
		container_end(&container);
		assert_int_equal(remove_temporary(state), 0);
		assert_int_equal(make_temporary(state), 0);
	}
}

/* Whatever becomes of the sender: the container goes on, and nothing watches it any more. */
static void test_the_sender_dies(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		CLEANUP(text_release) struct text smaps = { 0 };
		static struct container container;
		struct ends ends;

		container_start(&container, run_quiet);
		container_do(&container, 1);
		start_ends(&ends, container.init, memory_track_probe());
		tell(&ends, MEMORY_ROUND);
		/* In the middle of it, or after it. */
		usleep((unsigned int)i * 700);
		if (i == 9)
			hear(&ends);
		kill(ends.sender.pid, SIGKILL);
		assert_int_equal(process_wait(&ends.sender, 5000, &err), 128 + SIGKILL);
		assert_int_equal(process_wait(&ends.receiver, 5000, &err), 1);
		container_do(&container, 2);
		container_do(&container, 3);
		usleep(20000);
		assert_true(proc_read(container.init, "smaps", &smaps));
		assert_null(strstr(text_string(&smaps), " uw"));
		release_ends(&ends);
		container_end(&container);
		assert_int_equal(remove_temporary(state), 0);
		assert_int_equal(make_temporary(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_only_what_changed_is_sent),
		STREAM_TEST(test_what_is_gone_is_gone_there),
		STREAM_TEST(test_pages_that_a_device_writes),
		STREAM_TEST(test_the_images_decide),
		STREAM_TEST(test_the_sender_dies),
	};

	return hide_mounts() ? RUN_ALL(tests) : 99;
}
