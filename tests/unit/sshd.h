/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real sshd of the test's own on a free port of 127.0.0.1, with keys, known_hosts and
 * configuration in a temporary directory, and the options that make ssh use only these.
 */
#ifndef TESTS_SSHD_H
#define TESTS_SSHD_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "system/connection.h"

static struct sshd {
	char directory[64];
	int port;
	struct process process;
} sshd = { .directory = "/tmp/vzmigrate-sshd.XXXXXX", .process = PROCESS_NONE };

static void run(const char *const *argv)
{
	struct process_options options = { PROCESS_DEFAULTS };
	struct error err;

	options.argv = argv;
	if (process_run(&options, 10000, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void write_file(const char *name, const char *content)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", sshd.directory, name);
	struct text text = { .bytes = (char *)(uintptr_t)content, .length = strlen(content) };
	struct error err;

	if (file_write(path, &text, 0600, &err) < 0)
		fail_msg("%s", err.text);
}

/* A listening socket of 127.0.0.1 on a free port. */
static int listen_somewhere(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void make_key(const char *name)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", sshd.directory, name);
	const char *const argv[] = {
		"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL
	};

	run(argv);
}

static char *public_key(const char *name)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s.pub", sshd.directory, name);
	struct text text = { 0 };
	struct error err;

	if (file_read(path, 4096, &text, &err) < 0)
		fail_msg("%s", err.text);
	return text_take(&text);
}

/* known_hosts with the key of that name for our sshd, perhaps with a marker before it. */
static void trust(const char *marker, const char *key_name)
{
	CLEANUP(memory_release) char *key = public_key(key_name);
	CLEANUP(memory_release)
	char *line = memory_format("%s[127.0.0.1]:%d %s", marker, sshd.port, key);

	write_file("known_hosts", line);
}

static void wait_for_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)sshd.port);
	for (int i = 0; i < 500; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int result = connect(fd, (struct sockaddr *)&address, sizeof(address));

		close(fd);
		if (result == 0)
			return;
		usleep(10000);
	}
	fail_msg("sshd does not listen");
}

static int sshd_start(void **state)
{
	CLEANUP(memory_release) char *configuration = NULL;
	CLEANUP(memory_release) char *path = NULL;
	CLEANUP(memory_release) char *log = NULL;
	CLEANUP(memory_release) char *keys = NULL;
	struct process_options options = { PROCESS_DEFAULTS };
	struct error err;

	(void)state;
	mkdir("/run/sshd", 0755);
	assert_non_null(mkdtemp(sshd.directory));
	make_key("host_key");
	make_key("other_key");
	make_key("user_key");
	keys = public_key("user_key");
	write_file("authorized_keys", keys);
	close(listen_somewhere(&sshd.port));
	configuration = memory_format("ListenAddress 127.0.0.1:%d\n"
				      "HostKey %s/host_key\n"
				      "AuthorizedKeysFile %s/authorized_keys\n"
				      "PidFile none\n"
				      "StrictModes no\n"
				      "UsePAM no\n"
				      "PermitRootLogin yes\n"
				      "RekeyLimit 16M\n",
				      sshd.port, sshd.directory, sshd.directory);
	write_file("sshd_config", configuration);
	trust("", "host_key");
	path = memory_format("%s/sshd_config", sshd.directory);
	log = memory_format("%s/log", sshd.directory);
	options.argv = (const char *const[]){ "/usr/sbin/sshd", "-D", "-f", path, "-E", log, NULL };
	if (process_start(&sshd.process, &options, &err) < 0)
		fail_msg("%s", err.text);
	wait_for_port();
	return 0;
}

/* Stops (or continues) a process and everything below it. */
static void signal_tree(pid_t pid, int number)
{
	CLEANUP(memory_release)
	char *path = memory_format("/proc/%d/task/%d/children", (int)pid, (int)pid);
	CLEANUP(text_release) struct text children = { 0 };
	struct error err;

	if (file_read(path, 4096, &children, &err) == 0)
		for (char *at = children.bytes, *next; at != NULL && *at != '\0'; at = next) {
			long child = strtol(at, &next, 10);

			if (next == at)
				break;
			signal_tree((pid_t)child, number);
		}
	kill(pid, number);
}

static int sshd_stop(void **state)
{
	struct error err;

	(void)state;
	signal_tree(sshd.process.pid, SIGCONT);
	signal_tree(sshd.process.pid, SIGTERM);
	process_release(&sshd.process);
	return file_remove_tree(sshd.directory, &err);
}

/* Opens a connection with our files only; `more` options come first, so that they win. */
static int connect_with(struct connection *connection, const char *more, int port, int timeout,
			struct error *err)
{
	CLEANUP(ssh_options_release) struct ssh_options options = { 0 };
	CLEANUP(memory_release)
	char *text = memory_format(
		"%s -F none -o IdentityAgent=none -o IdentitiesOnly=yes -o BatchMode=yes "
		"-i %s/user_key -o UserKnownHostsFile=%s/known_hosts -o GlobalKnownHostsFile=none",
		more, sshd.directory, sshd.directory);
	struct destination destination = { .user = (char *)(uintptr_t) "root",
					   .host = (char *)(uintptr_t) "127.0.0.1",
					   .port = port };

	assert_int_equal(ssh_options_parse(&options, text, err), 0);
	return connection_open(connection, &destination, &options, timeout, err);
}

static void connect_well(struct connection *connection, int timeout)
{
	struct error err = { 0 };

	if (connect_with(connection, "", sshd.port, timeout, &err) < 0)
		fail_msg("%s", err.text);
}

#endif
