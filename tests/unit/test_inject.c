// SPDX-License-Identifier: GPL-2.0-or-later
/* System calls done in other processes: they are done, and the other process does not notice. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/time.h>

#include "inject_unit.h"

static void run_busy(void)
{
	/* Registers of every kind are in use all the time: integers, and those of floating point. */
	uint64_t value = 1;
	double sum = 0;

	shared->ready = 1;
	for (uint64_t i = 1; shared->result == 0; i++) {
		double before = sum;

		value = value * 6364136223846793005ULL + i;
		sum += 1.0;
		if (sum - before != 1.0)
			_exit(3);
		shared->turns = i;
	}
	/* The same once more, undisturbed. */
	uint64_t again = 1;

	for (uint64_t i = 1; i <= shared->turns; i++)
		again = again * 6364136223846793005ULL + i;
	_exit(again == value ? 0 : 4);
}

static void test_a_busy_process_goes_on(void **state)
{
	pid_t pid = start(run_busy);

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_injects(pid);
	finish_busy(pid);
}

static void run_sleeper(void)
{
	struct timespec time = { 0, 700000000 };
	int64_t began = wait_clock();

	shared->ready = 1;
	shared->result = nanosleep(&time, NULL);
	shared->seen_errno = errno;
	shared->milliseconds = wait_clock() - began;
	_exit(0);
}

/* A sleep ends when it would have, without an error. */
static void test_a_sleep_is_not_cut_short(void **state)
{
	pid_t pid = start(run_sleeper);

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_injects(pid);
		usleep(20000);
	}
	finish(pid, 0);
	assert_int_equal(shared->result, 0);
	assert_true(shared->milliseconds >= 700);
#ifndef __aarch64__
	assert_true(shared->milliseconds < 850);
#endif
}

static int pipe_ends[2];

static void run_reader(void)
{
	char bytes[8] = { 0 };

	shared->ready = 1;
	shared->result = (int)read(pipe_ends[0], bytes, sizeof(bytes));
	shared->seen_errno = errno;
	_exit(shared->result == 5 && memcmp(bytes, "hello", 5) == 0 ? 0 : 1);
}

static void test_a_read_is_not_interrupted(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	pid = start(run_reader);
	for (int i = 0; i < 10; i++)
		assert_injects(pid);
	assert_int_equal(write(pipe_ends[1], "hello", 5), 5);
	finish(pid, 0);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

static void note(int number)
{
	(void)number;
	shared->signals++;
}

/* Waits with a mask of its own for the time of waiting: signals come only there. */
static void run_poller(void)
{
	struct sigaction action = { .sa_handler = note };
	struct timespec limit = { 20, 0 };
	sigset_t block;
	sigset_t during;
	sigset_t after;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigaddset(&block, SIGUSR2);
	sigprocmask(SIG_SETMASK, &block, NULL);
	sigemptyset(&during);
	shared->ready = 1;
	shared->result = ppoll(NULL, 0, &limit, &during);
	shared->seen_errno = errno;
	sigprocmask(SIG_SETMASK, NULL, &after);
	_exit(sigismember(&after, SIGUSR1) == 1 && sigismember(&after, SIGUSR2) == 1 &&
			      sigismember(&after, SIGTERM) == 0
		      ? 0
		      : 1);
}

static void test_masks_of_a_wait_stay(void **state)
{
	pid_t pid = start(run_poller);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_injects(pid);
	assert_int_equal(shared->signals, 0);
	kill(pid, SIGUSR1);
	finish(pid, 0);
	assert_int_equal(shared->signals, 1);
	assert_int_equal(shared->result, -1);
	assert_int_equal(shared->seen_errno, EINTR);
}

#define SIGNALS 3000

static void run_signalled(void)
{
	struct sigaction action = { .sa_handler = note };
	struct sigaction found;

	sigaction(SIGRTMIN, &action, NULL);
	/* What the debugger's own signal is to the process stays its own affair. */
	signal(SIGTRAP, SIG_IGN);
	count_turns();
	sigaction(SIGTRAP, NULL, &found);
	_exit(found.sa_handler == SIG_IGN ? 0 : 1);
}

static pid_t signal_always(pid_t pid)
{
	pid_t sender = fork();

	for (int i = 0; sender == 0 && i < SIGNALS; i++) {
		/* The queue may be full for a while. */
		for (int tries = 0;
		     tries < 1000 && sigqueue(pid, SIGRTMIN, (union sigval){ 0 }) < 0; tries++)
			usleep(100);
		usleep(30);
	}
	if (sender == 0)
		_exit(0);
	return sender;
}

/* Every signal that comes meanwhile is delivered, once. */
static void test_signals_arrive(void **state)
{
	pid_t pid = start(run_signalled);
	pid_t sender = signal_always(pid);

	(void)state;
	while (waitpid(sender, NULL, WNOHANG) == 0)
		assert_injects(pid);
	for (int tries = 0; tries < 2000 && shared->signals < SIGNALS; tries++)
		usleep(1000);
	assert_int_equal(shared->signals, SIGNALS);
	shared->result = 1;
	finish(pid, 0);
}

/* Only what the child itself needs is allowed. */
static void run_filtered(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog filter = { COUNT_OF(code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		_exit(9);
	count_turns();
	/* Whatever stands before it in a sanitizer calls more. */
	syscall(SYS_exit_group, 0);
}

static void test_a_filter_does_not_see_the_call(void **state)
{
	pid_t pid = start(run_filtered);

	(void)state;
	assert_injects(pid);
	shared->result = 1;
	finish(pid, 0);
}

static void *run_thread(void *data)
{
	(void)data;
	while (shared->result == 0) {
		shared->turns++;
		usleep(100);
	}
	return NULL;
}

static void *run_last_thread(void *data)
{
	run_thread(data);
	_exit(0);
}

static void run_threads(void)
{
	pthread_t threads[20];

	for (size_t i = 0; i < COUNT_OF(threads); i++)
		if (pthread_create(&threads[i], NULL, run_thread, NULL) != 0)
			_exit(9);
	shared->ready = 1;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* The first thread may be gone while others go on. */
static void run_without_leader(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_last_thread, NULL) != 0)
		_exit(9);
	shared->ready = 1;
	pthread_exit(NULL);
}

static void test_many_threads(void **state)
{
	static void (*const kinds[])(void) = { run_threads, run_without_leader };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		pid_t pid;

		memset(shared, 0, sizeof(*shared));
		pid = start(kinds[i]);
		for (int tries = 0; tries < 20; tries++)
			assert_injects(pid);
		finish_busy(pid);
	}
}

/* One that was stopped by a signal is stopped afterwards, and can be continued. */
static void test_a_stopped_process_stays_stopped(void **state)
{
	pid_t pid = start(run_waiting);
	int status;

	(void)state;
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_injects(pid);
	usleep(20000);
	assert_int_equal(kill(pid, SIGUSR2), 0);
	/* It would have ended by that, had it run. */
	usleep(20000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
}

/* The stop is short: all of it, with the start of the tracing. The best of some, as others run too. */
static void test_it_is_short(void **state)
{
	pid_t pid = start(run_waiting);
	int64_t best = INT64_MAX;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct report report = inject_calls(pid, 3);

		assert_int_equal(report.result, 0);
		if (report.nanoseconds < best)
			best = report.nanoseconds;
	}
	print_message("# stopped for %lld us\n", (long long)best / 1000);
	assert_true(best < 2000000);
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		INJECT_TEST(test_a_busy_process_goes_on),
		INJECT_TEST(test_a_sleep_is_not_cut_short),
		INJECT_TEST(test_a_read_is_not_interrupted),
		INJECT_TEST(test_masks_of_a_wait_stay),
		INJECT_TEST(test_signals_arrive),
		INJECT_TEST(test_a_filter_does_not_see_the_call),
		INJECT_TEST(test_many_threads),
		INJECT_TEST(test_a_stopped_process_stays_stopped),
		INJECT_TEST(test_it_is_short),
	};

	return RUN_ALL(tests);
}
