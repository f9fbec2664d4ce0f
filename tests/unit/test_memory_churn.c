// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory of processes that do all that processes do while it is sent: what arrives is what they have at last. */
#include <pthread.h>
#include <time.h>

#include "memory_ends.h"

/* One who never stops writing: pages here and there. */
static void *write_always(void *memory)
{
	uint64_t value = 77;

	for (;;) {
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
		((volatile unsigned char *)memory)[value >> 33 & (16 * MIB - 1)] ^= 1;
		if ((value >> 50 & 63) == 0)
			usleep(50);
	}
	return NULL;
}

/* The places where things happen, far from all that the loader chose. */
#define PLACE(number) ((unsigned char *)(0x200000000000 + (uintptr_t)(number)*0x1000000000))

/* A child with a copy of all, which then goes its own way; it dies with the container. */
static void fork_one(unsigned int seed)
{
	pid_t pid = fork();

	if (pid != 0)
		return;
	fill(PLACE(1) + seed % 8 * MIB, MIB / 2, seed);
	munmap(PLACE(3), MIB);
	write_always(PLACE(0));
}

/* A pid that somebody had gets somebody else. */
static void replace_one(unsigned int seed)
{
	static pid_t last;
	char number[16];
	int fd;

	if (last > 0) {
		kill(last, SIGKILL);
		waitpid(last, NULL, 0);
		fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
		snprintf(number, sizeof(number), "%d", (int)last - 1);
		if (fd < 0 || write(fd, number, strlen(number)) < 0)
			_exit(97);
		close(fd);
	}
	pid_t pid = fork();

	if (pid < 0 || (last > 0 && pid != last))
		_exit(96);
	last = pid;
	if (pid != 0)
		return;
	munmap(PLACE(1), 16 * MIB);
	fill(map(PLACE(1) + 2 * MIB, 4 * MIB), 4 * MIB, seed);
	memset(PLACE(1) + 3 * MIB, 0, MIB);
	for (;;)
		pause();
}

/* Another program in the same process, with memory at the same places. */
static void execute_one(unsigned int seed)
{
	char number[16];

	if (fork() != 0)
		return;
	snprintf(number, sizeof(number), "%u", seed);
	/* The first time as itself, so that a round may see it before. */
	fill(PLACE(1), MIB, seed);
	usleep(seed % 3 * 150000);
	execl("/proc/self/exe", "churn", number, NULL);
	_exit(95);
}

static _Noreturn void run_executed(unsigned int seed)
{
	fill(map(PLACE(1), 2 * MIB), 2 * MIB, seed + 1000);
	fill(map(PLACE(2), MIB), MIB, seed + 1001);
	for (;;)
		pause();
}

/* A child that has the very memory of its parent, and writes to it, until it ends. */
static void *borrow(void *seed)
{
	pid_t pid = vfork();

	if (pid == 0) {
		for (int i = 0; i < 300; i++) {
			struct timespec pause = { 0, 1000000 };

			PLACE(1)
			[(size_t)i * 13 % 4096 * 4096] ^= (unsigned char)(uintptr_t)seed | 1;
			nanosleep(&pause, NULL);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return NULL;
}

static void borrow_one(unsigned int seed)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, borrow, (void *)(uintptr_t)seed) != 0)
		_exit(89);
	pthread_detach(thread);
}

/* Everything that changes what is where, in some order; each is done with memory that was sent before. */
static void churn(unsigned int step)
{
	unsigned char *window = PLACE(1) + step * 7 % 12 * MIB;

	switch (step % 13) {
	case 0:
		fork_one(step);
		break;
	case 1: /* the same place, mapped anew */
		munmap(window, MIB);
		map(window, MIB);
		fill(window + MIB / 4, MIB / 4, step);
		break;
	case 2: /* moved to a place that had something, which stays empty behind it */
		if (mremap(window, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED, PLACE(3)) != PLACE(3))
			_exit(94);
		map(window, MIB);
		break;
	case 3: /* thrown away; a part of it read, a part of it written */
		madvise(window, 2 * MIB, MADV_DONTNEED);
		for (size_t i = 0; i < MIB / 2; i += 4096)
			*(volatile unsigned char *)(window + i);
		fill(window + MIB, MIB / 2, step);
		break;
	case 4: /* zeros */
		memset(window, 0, MIB / 2);
		break;
	case 5: /* not to be read by itself any more */
		fill(PLACE(4), MIB, step);
		mprotect(PLACE(4), MIB, PROT_NONE);
		break;
	case 6:
		mprotect(PLACE(4), MIB, PROT_READ | PROT_WRITE);
		PLACE(4)[step * 4096 % MIB] ^= 1;
		break;
	case 7:
		execute_one(step);
		break;
	case 8:
		replace_one(step);
		break;
	case 9: /* it becomes larger where it is, and smaller again from the front */
		if (mremap(PLACE(5), MIB, 3 * MIB, 0) == MAP_FAILED)
			_exit(93);
		fill(PLACE(5) + MIB / 2, 2 * MIB, step);
		munmap(PLACE(5), MIB / 4);
		map(PLACE(5), MIB / 4);
		if (mremap(PLACE(5) + MIB, 2 * MIB, 16 * 4096, 0) == MAP_FAILED)
			_exit(92);
		munmap(PLACE(5), 2 * MIB);
		fill(map(PLACE(5), MIB), MIB, step);
		break;
	case 10:
		borrow_one(step);
		break;
	case 11: /* the old place stays mapped, and empty */
		if (mremap(window, MIB, MIB, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED,
			   PLACE(6)) != PLACE(6))
			_exit(91);
		window[step] = 1;
		break;
	default: /* huge pages, where the kernel gives any, and one page of each written */
		madvise(PLACE(7), 16 * MIB, MADV_HUGEPAGE);
		for (size_t i = 0; i < 8; i++)
			PLACE(7)[i * 2 * MIB + step * 4096 % (2 * MIB)] ^= 1;
		break;
	}
}

static void run_churn(atomic_int *step)
{
	pthread_t thread;

	fill(map(PLACE(0), 16 * MIB), 16 * MIB, 1);
	fill(map(PLACE(1), 16 * MIB), 16 * MIB, 2);
	fill(map(PLACE(3), MIB), MIB, 3);
	fill(map(PLACE(4), MIB), MIB, 4);
	fill(map(PLACE(5), MIB), MIB, 5);
	fill(map(PLACE(7), 16 * MIB), 16 * MIB, 7);
	if (pthread_create(&thread, NULL, write_always, PLACE(0)) != 0)
		_exit(90);
	for (;;) {
		int next = container_next(step);

		if (next > 1)
			churn((unsigned int)next);
		atomic_store(step, -next);
	}
}

/* Rounds and changes at the same time, in other combinations each time. */
static void churn_and_compare(enum track_method method, int run)
{
	static struct container container;
	struct ends ends;
	int step = 2 + run * 5;

	container_start(&container, run_churn);
	container_do(&container, 1);
	start_ends(&ends, container.init, method);
	for (int round = 0; round < 6; round++) {
		tell(&ends, MEMORY_ROUND);
		for (int i = 0; i < 1 + (round + run) % 6; i++)
			container_do(&container, step++);
		hear(&ends);
	}
	container_do(&container, step);
	freeze_and_compare(&container, &ends);
	release_ends(&ends);
	container_end(&container);
}

static void test_memory_arrives_whatever_happens(void **state)
{
	static const enum track_method methods[] = { TRACK_WRITES, TRACK_SOFT_DIRTY,
						     TRACK_NOTHING };

	for (size_t i = 0; i < COUNT_OF(methods); i++)
		for (int run = 0; run < 5 && can_track(methods[i]); run++) {
			churn_and_compare(methods[i], run);
			assert_int_equal(remove_temporary(state), 0);
			assert_int_equal(make_temporary(state), 0);
		}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_memory_arrives_whatever_happens),
	};

	if (argc == 2 && strcmp(argv[0], "churn") == 0)
		run_executed((unsigned int)atoi(argv[1]));
	return hide_mounts() ? RUN_ALL(tests) : 99;
}
