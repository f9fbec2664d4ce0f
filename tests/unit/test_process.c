// SPDX-License-Identifier: GPL-2.0-or-later
/* Child processes: what is collected, what fails, how they end. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/wait.h"
#include "process_unit.h"

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
		TEST(who_survives_is_left_running),
		TEST(release_stops_the_others),
		TEST(a_part_of_ours_in_a_child),
		TEST(a_part_of_ours_can_be_stopped),
	};

	return RUN_ALL(tests);
}
