// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reaching the destination: addresses, time limits, proxies, socket options. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "system/ssh_dial.h"

static void addresses_release(struct addrinfo **addresses)
{
	if (*addresses != NULL)
		freeaddrinfo(*addresses);
}

static void set_option(int fd, int level, int option, int value)
{
	/* What the kernel does not know only makes the connection a little slower. */
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		log_debug("socket option %d/%d: %s", level, option, strerror(errno));
}

static void set_send_buffer(int fd, int timeout_seconds)
{
	struct timeval limit = { .tv_sec = timeout_seconds };
	int size = SSH_SEND_BUFFER / 2; /* the kernel doubles it */

	/* Only with CAP_NET_ADMIN may it be above net.core.wmem_max. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		set_option(fd, SOL_SOCKET, SO_SNDBUF, size);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static void set_tcp_options(int fd, int timeout_seconds)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_seconds * 1000);
	set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, SSH_UNSENT_LIMIT);
	set_send_buffer(fd, timeout_seconds);
}

static int bind_source(const struct ssh_config *config, int fd, int family)
{
	CLEANUP(addresses_release) struct addrinfo *addresses = NULL;
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM };

	if (config->bind_interface != NULL &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->bind_interface,
		       (socklen_t)strlen(config->bind_interface)) < 0)
		return -1;
	if (config->bind_address == NULL)
		return 0;
	if (getaddrinfo(config->bind_address, NULL, &hints, &addresses) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	return bind(fd, addresses->ai_addr, addresses->ai_addrlen);
}

static int finish_connect(int fd, int limit_ms, struct error *err)
{
	struct pollfd ready = { fd, POLLOUT, 0 };
	int reason = 0;
	socklen_t length = sizeof(reason);
	int count = wait_for(&ready, 1, limit_ms, err);

	if (count < 0)
		return -1;
	if (count == 0)
		return error_set(err, "no answer within %d s", (limit_ms + 999) / 1000);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &length) < 0)
		reason = errno;
	return reason != 0 ? error_set(err, "%s", strerror(reason)) : 0;
}

/* Returns the connected descriptor; -1 with the reason alone in *err. */
static int try_address(const struct ssh_config *config, const struct addrinfo *address,
		       int limit_ms, struct error *err)
{
	CLEANUP(descriptor_close) int fd = -1;

	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind_source(config, fd, address->ai_family) < 0)
		return error_set(err, "%s", strerror(errno));
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return error_set(err, "%s", strerror(errno));
		if (finish_connect(fd, limit_ms, err) < 0)
			return -1;
	}
	fcntl(fd, F_SETFL, 0);
	return descriptor_steal(&fd);
}

static const char *address_text(const struct addrinfo *address, char *text, size_t size)
{
	if (getnameinfo(address->ai_addr, address->ai_addrlen, text, (socklen_t)size, NULL, 0,
			NI_NUMERICHOST) != 0)
		text[0] = '\0';
	return text;
}

/* One address after the other; each may take its share of the time that is left. */
static int try_addresses(const struct ssh_config *config, const struct addrinfo *addresses,
			 int limit_seconds, struct error *err)
{
	int64_t deadline = wait_clock() + (int64_t)limit_seconds * 1000;
	char text[NI_MAXHOST];
	int left = 0;

	for (const struct addrinfo *address = addresses; address != NULL;
	     address = address->ai_next)
		left++;
	for (const struct addrinfo *address = addresses; address != NULL;
	     address = address->ai_next) {
		int64_t share = (deadline - wait_clock()) / left--;
		int fd = try_address(config, address, share > 100 ? (int)share : 100, err);

		address_text(address, text, sizeof(text));
		log_debug("connect to %s port %d: %s", text, config->port,
			  fd >= 0 ? "done" : err->text);
		if (fd >= 0 || err->exit_status == EXIT_INTERRUPTED)
			return fd;
	}
	error_context(err, "cannot connect to '%s' (%s port %d)", config->name, text, config->port);
	err->exit_status = EXIT_CONNECT;
	return -1;
}

static int dial_direct(const struct ssh_config *config, int limit_seconds, int timeout_seconds,
		       struct error *err)
{
	CLEANUP(addresses_release) struct addrinfo *addresses = NULL;
	struct addrinfo hints = { .ai_family = config->family, .ai_socktype = SOCK_STREAM };
	char port[16];
	int problem;
	int fd;

	snprintf(port, sizeof(port), "%d", config->port);
	problem = getaddrinfo(config->host, port, &hints, &addresses);
	if (problem != 0)
		return error_exit(err, EXIT_CONNECT, "cannot resolve the host '%s': %s",
				  config->host, gai_strerror(problem));
	fd = try_addresses(config, addresses, limit_seconds, err);
	if (fd >= 0)
		set_tcp_options(fd, timeout_seconds);
	return fd;
}

/* `ssh -W` through the last of the jumps, which reaches it through the others. */
static void jump_command(const struct ssh_config *config, struct words *argv)
{
	const char *comma = strrchr(config->proxy_jump, ',');
	const char *last = comma != NULL ? comma + 1 : config->proxy_jump;

	words_add(argv, "ssh");
	words_add(argv, "-oBatchMode=yes");
	if (config->config_file != NULL)
		words_format(argv, "-F%s", config->config_file);
	if (comma != NULL)
		words_format(argv, "-J%.*s", (int)(comma - config->proxy_jump), config->proxy_jump);
	words_format(argv, "-W[%s]:%d", config->host, config->port);
	words_add(argv, "--");
	words_format(argv, "%s%s", strstr(last, "://") != NULL ? "" : "ssh://", last);
}

static int proxy_words(const struct ssh_config *config, struct words *argv, struct error *err)
{
	CLEANUP(words_release) struct words words = { 0 };

	if (config->proxy_jump != NULL) {
		jump_command(config, argv);
		return 0;
	}
	if (strpbrk(config->proxy_command, "|&;<>()$`*?#~\n{}[]!") != NULL ||
	    words_split(&words, config->proxy_command, err) < 0)
		return error_exit(err, EXIT_CONNECT,
				  "cannot connect to '%s': its ProxyCommand '%s' needs a shell, "
				  "which vzmigrate does not start: use ProxyJump, or a script",
				  config->name, config->proxy_command);
	for (size_t i = 0; i < words.count; i++) {
		CLEANUP(memory_release) char *word = ssh_config_expand(config, words.items[i]);

		if (i > 0 || strcmp(word, "exec") != 0)
			words_add(argv, word);
	}
	return argv->count > 0 ? 0
			       : error_exit(err, EXIT_CONNECT, "the ProxyCommand of '%s' is empty",
					    config->name);
}

static int dial_proxy(const struct ssh_config *config, int timeout_seconds, struct process *proxy,
		      struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	CLEANUP(descriptor_close) int ours = -1;
	CLEANUP(descriptor_close) int theirs = -1;
	struct process_options options = { PROCESS_DEFAULTS };

	if (proxy_words(config, &argv, err) < 0 || process_stream(&ours, &theirs, err) < 0)
		return -1;
	options.argv = (const char *const *)argv.items;
	options.input = theirs;
	options.output = theirs;
	if (process_start(proxy, &options, err) < 0)
		return -1;
	set_send_buffer(ours, timeout_seconds);
	return descriptor_steal(&ours);
}

int ssh_dial(const struct ssh_config *config, int limit_seconds, int timeout_seconds,
	     struct process *proxy, int *fd, struct error *err)
{
	if (config->proxy_jump != NULL || config->proxy_command != NULL)
		*fd = dial_proxy(config, timeout_seconds, proxy, err);
	else
		*fd = dial_direct(config, limit_seconds, timeout_seconds, err);
	return *fd < 0 ? -1 : 0;
}
