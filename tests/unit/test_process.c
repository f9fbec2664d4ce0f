// SPDX-License-Identifier: GPL-2.0-or-later
/* Child processes: what they inherit, what is collected, how they end. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "unit.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", script, NULL })
#define OPTIONS(script) ((struct process_options){ PROCESS_DEFAULTS, .argv = SHELL(script) })

static int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

/* Fails when a test leaves a descriptor open or a child unwaited. */
static int remember_descriptors(void **state)
{
	*state = (void *)(intptr_t)open_descriptors();
	return 0;
}

static int compare_descriptors(void **state)
{
	if (open_descriptors() != (int)(intptr_t)*state)
		return -1;
	return kill(0, 0) == 0 && waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
}

static void run_collects_output(void **state)
{
	CLEANUP(text_release) struct text output = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(process_run(&OPTIONS("echo one; echo two >&2; cat"), 5000, &output, &err),
			 0);
	assert_string_equal(text_string(&output), "one\n");
	assert_int_equal(process_run(&OPTIONS("echo three"), -1, NULL, &err), 0);
}

static void run_tells_status_and_last_words(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(process_run(&OPTIONS("echo a >&2; echo ' the cause ' >&2; exit 3"), 5000,
				     NULL, &err),
			 -1);
	assert_non_null(strstr(err.text, "failed with status 3: "));
	assert_non_null(strstr(err.text, "the cause"));
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(err.exit_status, 0);
	assert_int_equal(process_run(&OPTIONS("exit 1"), 5000, NULL, &err), -1);
	assert_string_equal(err.text, "'sh -c 'exit 1'' failed with status 1");
}

static void death_by_signal(void **state)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(process_start(&process, &OPTIONS("kill -KILL $$"), &err), 0);
	assert_int_equal(process_wait(&process, 5000, &err), 128 + SIGKILL);
	assert_int_equal(process.pid, 0);
}

static void program_not_found(void **state)
{
	static const char *const argv[] = { "no-such-program", "x", NULL };
	static const char *const directory[] = { "/usr", NULL };
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	struct process_options options = { PROCESS_DEFAULTS, .argv = argv };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(process_start(&process, &options, &err), -1);
	assert_int_equal(err.exit_status, EXIT_RUNTIME);
	assert_non_null(strstr(err.text, "'no-such-program'"));
	options.argv = directory;
	assert_int_equal(process_run(&options, 1000, NULL, &err), -1);
	assert_int_equal(err.exit_status, EXIT_RUNTIME);
}

/* A file that is executable but that the kernel cannot execute. */
static void program_that_cannot_be_executed(void **state)
{
	char path[] = "/tmp/vzmigrate-test-XXXXXX";
	const char *const argv[] = { path, NULL };
	struct process_options options = { PROCESS_DEFAULTS, .argv = argv };
	struct error err = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "#!/no/such/interpreter\n", 23), 23);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	assert_int_equal(process_run(&options, 1000, NULL, &err), -1);
	unlink(path);
	assert_non_null(strstr(err.text, "cannot execute '/tmp/vzmigrate-test-"));
	assert_non_null(strstr(err.text, "No such file"));
}

static void time_limit(void **state)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	struct error err = { 0 };
	int64_t begin = wait_clock();
	int status = -1;

	(void)state;
	assert_int_equal(process_start(&process, &OPTIONS("exec sleep 60"), &err), 0);
	assert_int_equal(process_wait(&process, 200, &err), -1);
	assert_non_null(strstr(err.text, "did not finish within 0.2 s"));
	assert_in_range(wait_clock() - begin, 200, 1000);
	assert_int_equal(process_ended(&process, &status), 0);
	assert_true(process.pid > 0);
	assert_int_equal(kill(process.pid, 0), 0);
	process_stop(&process);
	assert_int_equal(process.pid, 0);
	assert_in_range(wait_clock() - begin, 200, 1000);
}

/* Output that trickles must not make the limit endless. */
static void time_limit_of_a_talkative_process(void **state)
{
	CLEANUP(text_release) struct text output = { 0 };
	struct error err = { 0 };
	int64_t begin = wait_clock();

	(void)state;
	assert_int_equal(
		process_run(&OPTIONS("while :; do echo x; done | cat"), 300, &output, &err), -1);
	assert_in_range(wait_clock() - begin, 0, 3500);
}

static void who_ignores_sigterm_is_killed(void **state)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	struct error err = { 0 };
	int64_t begin;

	(void)state;
	assert_int_equal(
		process_start(&process,
			      &OPTIONS("trap '' TERM; echo ready; while :; do sleep 1; done"),
			      &err),
		0);
	while (process.output.length == 0)
		process_wait(&process, 50, &err);
	begin = wait_clock();
	process_stop(&process);
	assert_int_equal(process.pid, 0);
	assert_in_range(wait_clock() - begin, 1900, 4000);
}

static void output_is_limited(void **state)
{
	struct process_options options = OPTIONS("yes | head -c 100000");
	CLEANUP(text_release) struct text output = { 0 };
	struct error err = { 0 };

	(void)state;
	options.output_limit = 50000;
	assert_int_equal(process_run(&options, 5000, &output, &err), -1);
	assert_non_null(strstr(err.text, "more than 50000 bytes"));
	options.output_limit = 100000;
	assert_int_equal(process_run(&options, 5000, &output, &err), 0);
	assert_int_equal(output.length, 100000);
}

static void only_the_end_of_errors_is_kept(void **state)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(
		process_start(&process,
			      &OPTIONS("yes | head -c 1000000 >&2; echo last >&2; echo >&2"), &err),
		0);
	assert_string_equal(process_last_words(&process), "");
	assert_int_equal(process_wait(&process, 5000, &err), 0);
	assert_true(process.errors.length <= PROCESS_ERRORS_KEPT);
	assert_string_equal(process_last_words(&process), "last");
}

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

static void signals_are_as_at_the_start(void **state)
{
	CLEANUP(text_release) struct text output = { 0 };
	struct error err = { 0 };
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
	assert_string_equal(text_string(&output),
			    "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
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

static void who_survives_is_left_running(void **state)
{
	struct process_options options = OPTIONS("exec sleep 60");
	struct process process = PROCESS_NONE;
	struct error err = { 0 };
	pid_t pid;

	(void)state;
	options.survives = true;
	assert_int_equal(process_start(&process, &options, &err), 0);
	pid = process.pid;
	process_release(&process);
	assert_int_equal(process.pid, 0);
	assert_int_equal(kill(pid, 0), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void release_stops_the_others(void **state)
{
	struct process process = PROCESS_NONE;
	struct error err = { 0 };
	pid_t pid;

	(void)state;
	assert_int_equal(process_start(&process, &OPTIONS("exec sleep 60"), &err), 0);
	pid = process.pid;
	process_release(&process);
	assert_int_equal(kill(pid, 0), -1);
	process_release(&process);
}

struct part {
	int kept;
	int closed;
};

static int part_main(void *data)
{
	const struct part *part = data;
	struct error err = { 0 };

	if (fcntl(part->kept, F_GETFD) < 0 || fcntl(part->closed, F_GETFD) >= 0)
		return 1;
	if (wait_sleep(50, &err) != 0)
		return 2;
	return write(part->kept, "x", 1) == 1 ? 42 : 3;
}

static int failing_watch(void *data, struct error *err)
{
	(void)data;
	return error_set(err, "not for the child");
}

static void a_part_of_ours_in_a_child(void **state)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	struct error err = { 0 };
	struct part part;
	int ends[2];
	char byte;
	int watch;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	part = (struct part){ .kept = ends[1], .closed = ends[0] };
	watch = wait_watch(-1, 0, failing_watch, NULL);
	assert_int_equal(process_fork(&process, part_main, &part, &ends[1], 1, &err), 0);
	wait_unwatch(watch);
	assert_int_equal(process_wait(&process, 5000, &err), 42);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
}

static int sleeping_part(void *data)
{
	struct error err = { 0 };

	(void)data;
	return wait_sleep(60000, &err) == 0 ? 0 : 1;
}

static void a_part_of_ours_can_be_stopped(void **state)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	struct error err = { 0 };
	int64_t begin = wait_clock();

	(void)state;
	assert_int_equal(process_fork(&process, sleeping_part, NULL, NULL, 0, &err), 0);
	assert_int_equal(process_wait(&process, 100, &err), -1);
	assert_null(strstr(err.text, "(null)"));
	process_stop(&process);
	assert_in_range(wait_clock() - begin, 100, 1500);
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
	assert_true(text_ends_with(own, "/test_process"));
	assert_null(none);
	assert_null(directory);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, remember_descriptors, compare_descriptors)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(run_collects_output),
		TEST(run_tells_status_and_last_words),
		TEST(death_by_signal),
		TEST(program_not_found),
		TEST(program_that_cannot_be_executed),
		TEST(time_limit),
		TEST(time_limit_of_a_talkative_process),
		TEST(who_ignores_sigterm_is_killed),
		TEST(output_is_limited),
		TEST(only_the_end_of_errors_is_kept),
		TEST(descriptors_given_are_used),
		TEST(only_kept_descriptors_are_inherited),
		TEST(the_environment_is_minimal),
		TEST(signals_are_as_at_the_start),
		TEST(process_groups),
		TEST(who_survives_is_left_running),
		TEST(release_stops_the_others),
		TEST(a_part_of_ours_in_a_child),
		TEST(a_part_of_ours_can_be_stopped),
		TEST(finding_programs),
	};

	return RUN_ALL(tests);
}
