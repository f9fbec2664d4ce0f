// SPDX-License-Identifier: GPL-2.0-or-later
/* The carrier and a real sshd: bytes, statuses, memory, refusals, and a peer that falls silent. */
#include <inttypes.h>

#include "unit.h"

#include "sshd.h"
#include "streams.h"

#include "system/pipe.h"

#define STREAMS 4
/* AddressSanitizer's own memory is not ours. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_LIMIT_KIB (4 << 20)
#else
#define MEMORY_LIMIT_KIB (32 << 10)
#endif

static long memory_peak(const struct connection *connection)
{
	CLEANUP(memory_release)
	char *path = memory_format("/proc/%d/status", (int)connection->carrier.pid);
	CLEANUP(text_release) struct text status = { 0 };
	struct error err;

	assert_int_equal(file_read(path, 1 << 16, &status, &err), 0);
	return strtol(strstr(status.bytes, "VmHWM:") + 6, NULL, 10);
}

static int finish(struct remote_process *remote, int timeout_ms)
{
	struct error err = { 0 };
	int status = -1;

	if (remote_wait(remote, timeout_ms, &status, &err) < 0)
		fail_msg("%s", err.text);
	remote_release(remote);
	return status;
}

static void start(struct connection *connection, const char *command, int in, int out, int errors,
		  struct remote_process *remote)
{
	struct error err = { 0 };

	if (remote_start(connection, command, in, out, errors, remote, &err) < 0)
		fail_msg("%s", err.text);
}

static void a_command_runs(void **state)
{
	CLEANUP(connection_close) struct connection connection = CONNECTION_NONE;
	struct remote_process remote = REMOTE_NONE;
	char text[64] = { 0 };
	int output[2];
	int errors[2];

	(void)state;
	connect_well(&connection, 10);
	assert_string_equal(connection_user(&connection), "root");
	make_pair(true, output);
	make_pair(false, errors);
	start(&connection, "echo 'a  b'; echo oh >&2; exit 7", -1, output[1], errors[1], &remote);
	close(output[1]);
	close(errors[1]);
	assert_int_equal(finish(&remote, 5000), 7);
	assert_int_equal(read(output[0], text, sizeof(text)), 5);
	assert_string_equal(text, "a  b\n");
	assert_int_equal(read(output[0], text, sizeof(text)), 0);
	assert_int_equal(read(errors[0], text, sizeof(text)), 3);
	start(&connection, "kill -TERM $$", -1, -1, -1, &remote);
	assert_int_equal(finish(&remote, 5000), 128 + SIGTERM);
	/* More than the ten sessions that sshd allows at once: each is given back. */
	for (int i = 0; i < 12; i++) {
		start(&connection, "exit 3", -1, -1, -1, &remote);
		assert_int_equal(finish(&remote, 5000), 3);
	}
	close(output[0]);
	close(errors[0]);
}

static void streams_arrive_whole(void **state)
{
	CLEANUP(connection_close) struct connection connection = CONNECTION_NONE;
	struct remote_process remotes[STREAMS];
	pid_t writers[STREAMS];
	pid_t readers[STREAMS];
	int64_t began = wait_clock();

	(void)state;
	connect_well(&connection, 10);
	for (int i = 0; i < STREAMS; i++) {
		uint64_t seed = 0x9e3779b97f4a7c15 * (uint64_t)(i + 1);
		int input[2];
		int output[2];

		make_pair(i % 2 == 0, input);
		make_pair(i % 2 == 0, output);
		writers[i] = start_writer(input[1], seed);
		close(input[1]);
		start(&connection, "cat", input[0], output[1], -1, &remotes[i]);
		close(input[0]);
		close(output[1]);
		readers[i] = start_reader(output[0], seed);
		close(output[0]);
	}
	for (int i = 0; i < STREAMS; i++) {
		assert_int_equal(finish(&remotes[i], 60000), 0);
		assert_int_equal(wait_child(writers[i]), 0);
		assert_int_equal(wait_child(readers[i]), 0);
	}
	print_message("# %d streams of %zu MiB there and back in %" PRId64 " ms, peak %ld KiB\n",
		      STREAMS, STREAM_BYTES >> 20, wait_clock() - began, memory_peak(&connection));
	assert_true(memory_peak(&connection) < MEMORY_LIMIT_KIB);
}

/* Output that nobody takes stops the sender, not the other commands, and costs little memory. */
static void a_slow_reader_costs_nothing(void **state)
{
	CLEANUP(connection_close) struct connection connection = CONNECTION_NONE;
	struct remote_process stuck[6];
	struct remote_process other;
	static char bytes[1 << 16];
	int outputs[6];

	(void)state;
	connect_well(&connection, 10);
	for (int i = 0; i < 6; i++) {
		int output[2];

		make_pair(i % 2 == 0, output);
		start(&connection,
		      "head -c 20000000 /dev/zero; head -c 30000 /dev/zero >&2; exit 5", -1,
		      output[1], -1, &stuck[i]);
		close(output[1]);
		outputs[i] = output[0];
	}
	start(&connection, "sleep 0.5; exit 4", -1, -1, -1, &other);
	assert_int_equal(finish(&other, 5000), 4);
	for (int i = 0; i < 6; i++) {
		size_t total = 0;

		/* Little bites first: they must not make libssh hoard. */
		for (ssize_t got = 1; got > 0; total += (size_t)got)
			got = read(outputs[i], bytes, total < 400000 ? 1000 : sizeof(bytes));
		assert_int_equal(total, 20000000);
		close(outputs[i]);
		assert_int_equal(finish(&stuck[i], 5000), 5);
	}
	print_message("# 6 stuck streams: peak %ld KiB\n", memory_peak(&connection));
	assert_true(memory_peak(&connection) < MEMORY_LIMIT_KIB);
}

/* A reader that went away ends the command; a command that ends leaves its writer alone. */
static void ends_are_noticed(void **state)
{
	CLEANUP(connection_close) struct connection connection = CONNECTION_NONE;
	struct remote_process remote;
	int pair[2];

	(void)state;
	connect_well(&connection, 10);
	make_pair(true, pair);
	close(pair[0]);
	start(&connection, "cat /dev/zero", -1, pair[1], -1, &remote);
	close(pair[1]);
	assert_int_equal(finish(&remote, 5000), 128 + SIGPIPE);
	make_pair(true, pair);
	start(&connection, "head -c 10 >/dev/null; exit 6", pair[0], -1, -1, &remote);
	close(pair[0]);
	assert_int_equal(write(pair[1], "0123456789abcdef", 16), 16);
	assert_int_equal(finish(&remote, 5000), 6);
	close(pair[1]);
	/* Released while it runs: its input ends, and so does it. */
	make_pair(false, pair);
	start(&connection, "cat", pair[0], -1, -1, &remote);
	close(pair[0]);
	remote_release(&remote);
	start(&connection, "true", -1, -1, -1, &remote);
	assert_int_equal(finish(&remote, 5000), 0);
	close(pair[1]);
}

static void the_pipe_mode_passes_on(void **state)
{
	CLEANUP(connection_close) struct connection connection = CONNECTION_NONE;
	char text[64] = { 0 };
	struct error err = { 0 };
	int output[2];
	int client;
	pid_t pid;

	(void)state;
	connect_well(&connection, 10);
	client = connection_client(&connection, &err);
	assert_true(client >= 0);
	make_pair(false, output);
	pid = fork();
	if (pid == 0) {
		CLEANUP(memory_release) char *word = memory_format("%d", client);
		char *argv[] = {
			"--pipe", word, "-l", "root", "h", "echo", "$((1 + 1));", "exit 9"
		};

		dup2(output[1], STDOUT_FILENO);
		close(output[0]);
		close(output[1]);
		_exit(pipe_run(COUNT_OF(argv), argv, &err));
	}
	close(client);
	close(output[1]);
	assert_int_equal(wait_child(pid), 9);
	assert_int_equal(read(output[0], text, sizeof(text)), 2);
	assert_string_equal(text, "2\n");
	assert_int_equal(read(output[0], text, sizeof(text)), 0);
	close(output[0]);
}

/* The connection fails with EXIT_CONNECT within five seconds, and says why. */
static void refuse(const char *options, int port, int timeout, const char *why)
{
	struct connection connection = CONNECTION_NONE;
	int64_t began = wait_clock();
	struct error err = { 0 };

	if (connect_with(&connection, options, port, timeout, &err) == 0)
		fail_msg("connected, but: %s", why);
	print_message("# %s\n", err.text);
	assert_int_equal(err.exit_status, EXIT_CONNECT);
	if (strstr(err.text, why) == NULL)
		fail_msg("'%s' is not in: %s", why, err.text);
	assert_true(wait_clock() - began < 5000);
}

static void strangers_are_refused(void **state)
{
	CLEANUP(connection_close) struct connection connection = CONNECTION_NONE;
	struct error err = { 0 };

	(void)state;
	trust("", "other_key");
	refuse("", sshd.port, 3, "has changed");
	refuse("-o StrictHostKeyChecking=no", sshd.port, 3, "has changed");
	write_file("known_hosts", "");
	refuse("", sshd.port, 3, "is not known here");
	refuse("-o StrictHostKeyChecking=yes", sshd.port, 3, "is not known here");
	trust("@revoked ", "host_key");
	refuse("-o StrictHostKeyChecking=accept-new", sshd.port, 3, "@revoked");
	write_file("known_hosts", "");
	if (connect_with(&connection, "-o StrictHostKeyChecking=accept-new", sshd.port, 3, &err) <
	    0)
		fail_msg("%s", err.text);
	connection_close(&connection);
	connect_well(&connection, 3); /* it was noted */
	trust("", "host_key");
}

static void failures_are_explained(void **state)
{
	CLEANUP(memory_release)
	char *key = memory_format("-o IdentitiesOnly=yes -i %s/other_key", sshd.directory);
	CLEANUP(descriptor_close) int listener = -1;
	CLEANUP(memory_release) char *keys = public_key("user_key");
	int port;
	pid_t pid;

	(void)state;
	write_file("authorized_keys", "");
	refuse(key, sshd.port, 3, "refused the login of 'root'");
	write_file("authorized_keys", keys);
	listener = listen_somewhere(&port);
	refuse("", port, 1, "no ssh server"); /* it says nothing */
	pid = fork();
	if (pid == 0) {
		int fd = accept(listener, NULL, NULL);

		_exit(write(fd, "220 smtp.example.org ESMTP\r\n", 28) == 28 && pause() ? 0 : 1);
	}
	refuse("", port, 1, "no ssh server");
	kill(pid, SIGKILL);
	wait_child(pid);
	descriptor_close(&listener);
	refuse("", port, 3, "Connection refused");
	refuse("-o HostName=no-such-host.invalid", port, 3, "cannot resolve");
	refuse("-o KexAlgorithms=sntrup761x25519-sha512@openssh.com", sshd.port, 3,
	       "KexAlgorithms");
	refuse("-o 'ProxyCommand=nc %h %p | cat'", sshd.port, 3, "needs a shell");
	refuse("-o 'ProxyCommand=false %h'", sshd.port, 3, "ended with status 1");
	refuse("-J nobody@127.0.0.1:1", sshd.port, 3, "Connection refused");
}

/* Another way to the same sshd: `ssh -W` through itself. */
static void a_proxy_is_used(void **state)
{
	CLEANUP(connection_close) struct connection connection = CONNECTION_NONE;
	CLEANUP(memory_release)
	char *command =
		memory_format("-o 'ProxyCommand=ssh -F none -o IdentityAgent=none -o BatchMode=yes "
			      "-i %s/user_key "
			      "-o UserKnownHostsFile=%s/known_hosts -p %%p -W %%h:%%p root@%%h'",
			      sshd.directory, sshd.directory);
	struct remote_process remote;
	struct error err = { 0 };

	(void)state;
	if (connect_with(&connection, command, sshd.port, 5, &err) < 0)
		fail_msg("%s", err.text);
	start(&connection, "exit 8", -1, -1, -1, &remote);
	assert_int_equal(finish(&remote, 5000), 8);
}

static void start_on(struct connection *connection, const char *command, const char *input,
		     struct remote_process *remote)
{
	int fd = open(input, O_RDONLY | O_CLOEXEC);

	connect_well(connection, 3);
	start(connection, command, fd, -1, -1, remote);
	close(fd);
}

static void expect_silence(struct connection *connection, struct remote_process *remote)
{
	struct error err = { 0 };
	int status;

	assert_int_equal(remote_wait(remote, 6000, &status, &err), -1);
	print_message("# %s\n", err.text);
	assert_int_equal(err.exit_status, EXIT_CONNECT);
	assert_non_null(strstr(err.text, "silent for 3 s"));
	assert_int_equal(connection_check(connection, &err), -1);
	assert_non_null(strstr(err.text, "silent for 3 s"));
	assert_int_equal(connection_client(connection, &err), -1);
}

/* One that we only wait for, and one into which data is pouring. */
static void a_silent_peer_is_lost(void **state)
{
	CLEANUP(connection_close) struct connection idle = CONNECTION_NONE;
	CLEANUP(connection_close) struct connection busy = CONNECTION_NONE;
	CLEANUP(remote_release) struct remote_process waiting = REMOTE_NONE;
	CLEANUP(remote_release) struct remote_process pouring = REMOTE_NONE;
	struct error err = { 0 };
	int64_t began;

	(void)state;
	start_on(&idle, "sleep 30", "/dev/null", &waiting);
	start_on(&busy, "cat >/dev/null", "/dev/zero", &pouring);
	usleep(300000);
	assert_int_equal(connection_check(&busy, &err), 0);
	signal_tree(sshd.process.pid, SIGSTOP);
	began = wait_clock();
	expect_silence(&idle, &waiting);
	expect_silence(&busy, &pouring);
	assert_in_range(wait_clock() - began, 1500, 4000);
	signal_tree(sshd.process.pid, SIGCONT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_runs),
		cmocka_unit_test(streams_arrive_whole),
		cmocka_unit_test(a_slow_reader_costs_nothing),
		cmocka_unit_test(ends_are_noticed),
		cmocka_unit_test(the_pipe_mode_passes_on),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(failures_are_explained),
		cmocka_unit_test(a_proxy_is_used),
		cmocka_unit_test(a_silent_peer_is_lost),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, sshd_start, sshd_stop);
}
