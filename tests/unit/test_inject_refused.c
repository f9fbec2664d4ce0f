// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes that must not be made to do a system call: they are refused, soon, and go on untouched. */
#include <sys/ptrace.h>

#include "inject_unit.h"

/* What older headers lack. */
#define GET_DISPATCH_CONFIGURATION ((enum __ptrace_request)0x4211)
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

static void test_what_is_traced_is_refused(void **state)
{
	pid_t pid = start(run_waiting);

	(void)state;
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	assert_refused(pid, "traced already");
	end(pid);
}

static void run_vfork(void)
{
	shared->ready = 1;
	/* The parent sleeps uninterruptibly until the child has gone. */
	if (vfork() == 0) {
		while (shared->result == 0)
			usleep(1000);
		_exit(0);
	}
	shared->turns = 1;
	while (shared->result == 1)
		usleep(1000);
	_exit(0);
}

/* Who cannot stop is left alone, soon, and goes on when it can. */
static void test_who_does_not_stop_is_left_alone(void **state)
{
	pid_t pid = start(run_vfork);
	int64_t began = wait_clock();

	(void)state;
	assert_refused(pid, "does not stop");
	assert_true(wait_clock() - began < TIMEOUT_MS + 500);
	shared->result = 1;
	for (int tries = 0; tries < 2000 && shared->turns == 0; tries++)
		usleep(1000);
	assert_int_equal(shared->turns, 1);
	assert_injects(pid);
	shared->result = 2;
	finish(pid, 0);
}

#if defined(__x86_64__) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>

/* A thread that is in a restartable sequence nearly always: when the kernel throws it out, it goes back. The
 * kernel takes from it what says that it is in one, and leaves it there, only when it was elsewhere meanwhile. */
static void run_sequence(void)
{
	char *state = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size == 0)
		_exit(9);
	shared->ready = 1;
	__asm__ volatile(
		".pushsection .data.rel, \"aw\"\n"
		".balign 32\n"
		"7:	.long 0, 0\n"
		"	.quad 1f, 2f - 1f, 4f\n"
		".popsection\n"
		"0:	lea 7b(%%rip), %%rax\n"
		"	mov %%rax, 8(%[state])\n"
		"1:	incq (%[turns])\n"
		"	cmpq $0, 8(%[state])\n"
		"	je 6f\n"
		"	cmpl $0, (%[result])\n"
		"	je 1b\n"
		"2:	jmp 5f\n"
		"	.long %c[signature]\n"
		"4:	jmp 0b\n"
		"6:	movl $1, (%[harm])\n"
		"5:\n"
		:
		: [state] "r"(state), [turns] "r"(&shared->turns), [result] "r"(&shared->result),
		  [harm] "r"(&shared->seen_errno), [signature] "i"(RSEQ_SIG)
		: "rax", "memory", "cc");
	_exit(0);
}

static void test_a_restartable_sequence_is_left_alone(void **state)
{
	pid_t pid = start(run_sequence);
	int refused = 0;

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct report report = inject_calls(pid, 1);

		if (report.result < 0)
			assert_non_null(strstr(report.failure.text, "restartable sequence"));
		refused += report.result < 0;
	}
	assert_true(refused > 0);
	assert_int_equal(shared->seen_errno, 0);
	finish_busy(pid);
}
#else
static void test_a_restartable_sequence_is_left_alone(void **state)
{
	(void)state;
	print_message("# no test has a restartable sequence for this processor\n");
}
#endif

static void test_who_has_gone_is_an_error(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_refused(pid, "cannot stop process");
}

/* It has its system calls sent to itself as signals, unless it says that it wants the next ones done. */
static void run_dispatched(void)
{
	static volatile char selector;

	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector) < 0) {
		shared->seen_errno = 1;
		shared->ready = 1;
		_exit(0);
	}
	count_turns();
	_exit(0);
}

/* Since 6.4 the kernel tells a tracer of it. */
static bool is_told(pid_t pid)
{
	uint64_t configuration[4];
	int status;
	bool told;

	assert_int_equal(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	told = ptrace(GET_DISPATCH_CONFIGURATION, pid, sizeof(configuration), configuration) == 0;
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return told;
}

static void test_dispatched_calls_are_left_alone(void **state)
{
	pid_t pid = start(run_dispatched);

	(void)state;
	if (shared->seen_errno == 0 && !is_told(pid)) {
		end(pid);
		print_message("# not tried: this kernel does not tell who has its system calls "
			      "dispatched\n");
		return;
	}
	if (shared->seen_errno != 0) {
		finish(pid, 0);
		print_message("# not tried: this kernel cannot dispatch system calls\n");
		return;
	}
	assert_refused(pid, "dispatched to itself");
	shared->result = 1;
	finish(pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		INJECT_TEST(test_what_is_traced_is_refused),
		INJECT_TEST(test_who_does_not_stop_is_left_alone),
		INJECT_TEST(test_a_restartable_sequence_is_left_alone),
		INJECT_TEST(test_who_has_gone_is_an_error),
		INJECT_TEST(test_dispatched_calls_are_left_alone),
	};

	return RUN_ALL(tests);
}
