// SPDX-License-Identifier: GPL-2.0-or-later
/* What a child process gets from us: descriptors, environment, signals, groups, its program. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "process_unit.h"

static void descriptors_given_are_used(void **state)
{
	struct process_options options = OPTIONS("cat; echo bad >&2");
	struct error err = { 0 };
	char got[20] = "";
	int in[2];
	int out[2];

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], "hello\n", 6), 6);
	close(in[1]);
	options.input = in[0];
	options.output = out[1];
	options.errors = out[1];
	assert_int_equal(process_run(&options, 5000, NULL, &err), 0);
	assert_int_equal(read(out[0], got, sizeof(got) - 1), 10);
	assert_string_equal(got, "hello\nbad\n");
	close(in[0]);
	close(out[0]);
	close(out[1]);
}

/* Only 0, 1, 2 and those kept; even where we hold one that is not close-on-exec. */
static void only_kept_descriptors_are_inherited(void **state)
{
	struct process_options options =
		OPTIONS("for fd in /proc/self/fd/*; do echo ${fd##*/}; done");
	CLEANUP(text_release) struct text output = { 0 };
	struct error err = { 0 };
	int leaky[2];
	int keep[2];

	(void)state;
	assert_int_equal(pipe(leaky), 0);
	keep[0] = fcntl(leaky[0], F_DUPFD_CLOEXEC, 90);
	keep[1] = fcntl(leaky[0], F_DUPFD_CLOEXEC, 70);
	options.keep = keep;
	options.keep_count = 2;
	assert_int_equal(process_run(&options, 5000, &output, &err), 0);
	/* The shell's own descriptor for the directory is there too, at 3. */
	assert_string_equal(text_string(&output), "0\n1\n2\n3\n70\n90\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fcntl(keep[i], F_GETFD), FD_CLOEXEC);
		close(keep[i]);
		close(leaky[i]);
	}
}

static void the_environment_is_minimal(void **state)
{
	static const char *const argv[] = { "env", NULL };
	static const char *const extra[] = { "EXTRA=yes", NULL };
	struct process_options options = { PROCESS_DEFAULTS, .argv = argv, .environment = extra };
	CLEANUP(text_release) struct text output = { 0 };
	struct error err = { 0 };
	char *rest;

	(void)state;
	setenv("LD_LIBRARY_PATH", "/nowhere", 1);
	setenv("LANG", "de_DE.UTF-8", 1);
	assert_int_equal(process_run(&options, 5000, &output, &err), 0);
	unsetenv("LD_LIBRARY_PATH");
	unsetenv("LANG");
	assert_non_null(strstr(text_string(&output), "LC_ALL=C.UTF-8\n"));
	assert_non_null(strstr(text_string(&output), "EXTRA=yes\n"));
	rest = output.bytes;
	for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
		static const char *const allowed[] = {
			"PATH=", "HOME=", "TERM=", "LC_ALL=", "TMPDIR=", "SSH_AUTH_SOCK=", "EXTRA="
		};
		bool found = false;

		for (size_t i = 0; i < COUNT_OF(allowed); i++)
			found = found || text_starts_with(line, allowed[i]);
		assert_true(found);
	}
}

/* 1 to 31. The C library keeps 32 and 33 to itself: what a parent did to them stays. */
#define STANDARD_SIGNALS 0x7fffffffULL

static void signals_are_as_at_the_start(void **state)
{
	CLEANUP(text_release) struct text output = { 0 };
	struct error err = { 0 };
	unsigned long long blocked;
	unsigned long long ignored;
	sigset_t block;
	sigset_t old;

	(void)state;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(process_run(&OPTIONS("grep -E '^Sig(Blk|Ign)' /proc/self/status"), 5000,
				     &output, &err),
			 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_int_equal(
		sscanf(text_string(&output), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	assert_int_equal(blocked & STANDARD_SIGNALS, 0);
	assert_int_equal(ignored & STANDARD_SIGNALS, 0);
}

static void process_groups(void **state)
{
	struct process_options options = OPTIONS("cut -d ' ' -f 5,6 /proc/$$/stat; echo $$");
	CLEANUP(text_release) struct text output = { 0 };
	struct error err = { 0 };
	int group;
	int session;
	int pid;

	(void)state;
	assert_int_equal(process_run(&options, 5000, &output, &err), 0);
	assert_int_equal(sscanf(text_string(&output), "%d %d %d", &group, &session, &pid), 3);
	assert_int_equal(group, pid);
	assert_int_equal(session, getsid(0));
	text_clear(&output);
	options.new_session = true;
	assert_int_equal(process_run(&options, 5000, &output, &err), 0);
	assert_int_equal(sscanf(text_string(&output), "%d %d %d", &group, &session, &pid), 3);
	assert_int_equal(group, pid);
	assert_int_equal(session, pid);
}

static void finding_programs(void **state)
{
	CLEANUP(memory_release) char *shell = process_find("sh");
	CLEANUP(memory_release) char *own = process_own_path();
	CLEANUP(memory_release) char *none = process_find("no-such-program");
	CLEANUP(memory_release) char *directory = process_find("/usr");

	(void)state;
	assert_non_null(shell);
	assert_int_equal(shell[0], '/');
	assert_true(text_ends_with(own, "/test_process_inherit"));
	assert_null(none);
	assert_null(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(descriptors_given_are_used),
		TEST(only_kept_descriptors_are_inherited),
		TEST(the_environment_is_minimal),
		TEST(signals_are_as_at_the_start),
		TEST(process_groups),
		TEST(finding_programs),
	};

	return RUN_ALL(tests);
}
