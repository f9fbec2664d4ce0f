// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the carrier's loop: who may speak, and what ends it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <libssh/callbacks.h>
#include <libssh/server.h> /* ssh_set_message_callback() is declared there, for clients too */

#include "base/log.h"
#include "base/memory.h"
#include "system/carrier.h"
#include "system/carrier_channel.h"
#include "system/carrier_message.h"
#include "system/carrier_pulse.h"
#include "system/ssh_session.h"

/* How often the session is read in a row, 4 KiB each time, before the streams get their turn. */
#define SESSION_BURST 64

enum { MAIN, SESSION, CHANNELS };

struct carrier {
	const struct carrier_setup *setup;
	struct ssh_link link;
	ssh_event event;
	struct carrier_pulse pulse;
	struct carrier_channel **channels;
	size_t count;
	size_t turn; /* who comes first: everybody in turn */
	struct pollfd *descriptors;
};

static void send_log(void *data, enum log_level level, const char *text)
{
	const struct carrier_setup *setup = data;
	struct error ignored;

	carrier_send(setup->socket, CARRIER_LOG, (int)level, text, NULL, 0, &ignored);
}

/* Whoever reads our standard output must not wait for this process to end. */
static void leave_standard_streams(void)
{
	CLEANUP(descriptor_close) int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
	}
}

/* The server's requests (eow@openssh.com, say) get the default answer instead of piling up. */
static int answer_request(ssh_session session, ssh_message message, void *data)
{
	(void)session, (void)message, (void)data;
	return 1;
}

static int start_session(struct carrier *self, struct error *err)
{
	const struct carrier_setup *setup = self->setup;

	if (ssh_link_open(&self->link, setup->config, setup->timeout_seconds, err) < 0)
		return -1;
	ssh_set_message_callback(self->link.session, answer_request, NULL);
	self->event = ssh_event_new();
	if (self->event == NULL || ssh_event_add_session(self->event, self->link.session) != SSH_OK)
		return error_set(err, "cannot watch the ssh session");
	carrier_pulse_start(&self->pulse, self->link.session, setup->timeout_seconds);
	return 0;
}

static void add_client(struct carrier *self, int client)
{
	self->channels = memory_resize(self->channels, self->count + 1, sizeof(void *));
	self->channels[self->count++] = carrier_channel_new(client);
	self->descriptors =
		memory_resize(self->descriptors, CHANNELS + self->count * CARRIER_CHANNEL_POLLS,
			      sizeof(*self->descriptors));
}

/* False when main is gone. */
static bool hear_main(struct carrier *self)
{
	struct carrier_message message;
	int got = carrier_receive(self->setup->socket, &message);

	if (got == 1 && message.kind == CARRIER_CLIENT && message.fds[0] >= 0)
		add_client(self, descriptor_steal(&message.fds[0]));
	carrier_message_release(&message);
	return got >= 0;
}

static int lost(const struct carrier *self, const char *why, struct error *err)
{
	return error_exit(err, EXIT_CONNECT, "the connection to '%s' was lost: %s",
			  self->setup->config->name, why);
}

static int lost_silent(const struct carrier *self, struct error *err)
{
	return error_exit(err, EXIT_CONNECT,
			  "the connection to '%s' was lost: it has been silent for %d s",
			  self->setup->config->name, self->setup->timeout_seconds);
}

/* What libssh says about its end, shortened to what says something. */
static const char *loss_reason(ssh_session session)
{
	const char *prefix = "Socket error: ";
	const char *reason = NULL;

	/* Asked in any other state, it replaces the reason by a complaint. */
	if ((ssh_get_status(session) & SSH_CLOSED) != 0)
		reason = ssh_get_disconnect_message(session);
	if (reason == NULL || *reason == '\0')
		reason = ssh_get_error(session);
	if (text_starts_with(reason, prefix))
		reason += strlen(prefix);
	return strcmp(reason, "disconnected") == 0 ? "it closed the connection" : reason;
}

static int check_session(const struct carrier *self, struct error *err)
{
	ssh_session session = self->link.session;
	const char *reason;

	if (ssh_is_connected(session) &&
	    (ssh_get_status(session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0)
		return 0;
	reason = loss_reason(session);
	/* The kernel's time limit (TCP_USER_TIMEOUT) is ours. */
	if (strcmp(reason, strerror(ETIMEDOUT)) == 0)
		return lost_silent(self, err);
	return lost(self, reason, err);
}

static int wait_for_work(struct carrier *self)
{
	bool writable = carrier_session_writable(self->link.session);
	int flags = ssh_get_poll_flags(self->link.session);
	short events = POLLIN;

	if ((flags & SSH_WRITE_PENDING) != 0)
		events |= POLLOUT;
	self->descriptors[MAIN] = (struct pollfd){ self->setup->socket, POLLIN, 0 };
	self->descriptors[SESSION] = (struct pollfd){ ssh_get_fd(self->link.session), events, 0 };
	for (size_t i = 0; i < self->count; i++)
		carrier_channel_poll(self->channels[i], writable,
				     self->descriptors + CHANNELS + i * CARRIER_CHANNEL_POLLS);
	return poll(self->descriptors, CHANNELS + self->count * CARRIER_CHANNEL_POLLS,
		    carrier_pulse_interval(&self->pulse));
}

static int serve_session(struct carrier *self, struct error *err)
{
	if (self->descriptors[SESSION].revents != 0)
		for (int i = 0; i < SESSION_BURST; i++)
			if (ssh_event_dopoll(self->event, 0) != SSH_OK)
				break;
	if (check_session(self, err) < 0)
		return -1;
	return carrier_pulse_check(&self->pulse, self->link.session) ? 0 : lost_silent(self, err);
}

static void serve_channels(struct carrier *self)
{
	size_t count = self->count;
	size_t left = 0;

	self->turn++;
	for (size_t k = 0; k < count; k++) {
		size_t i = (self->turn + k) % count;

		if (!carrier_channel_step(self->channels[i], self->link.session,
					  self->descriptors + CHANNELS +
						  i * CARRIER_CHANNEL_POLLS)) {
			carrier_channel_free(self->channels[i], true);
			self->channels[i] = NULL;
		}
	}
	for (size_t i = 0; i < count; i++)
		if (self->channels[i] != NULL)
			self->channels[left++] = self->channels[i];
	self->count = left;
}

/* Returns 0 when main is gone, -1 with the reason when the session is lost. */
static int serve(struct carrier *self, struct error *err)
{
	self->descriptors = memory_allocate(CHANNELS, sizeof(*self->descriptors));
	for (;;) {
		if (wait_for_work(self) < 0 && errno != EINTR)
			return error_system(err, "cannot wait");
		if (serve_session(self, err) < 0)
			return -1;
		serve_channels(self);
		/* Last: it may move the descriptors. */
		if (self->descriptors[MAIN].revents != 0 && !hear_main(self))
			return 0;
	}
}

static void tell_everybody(struct carrier *self, const struct error *reason)
{
	struct error ignored;

	carrier_send(self->setup->socket, CARRIER_LOST, reason->exit_status, reason->text, NULL, 0,
		     &ignored);
	for (size_t i = 0; i < self->count; i++)
		carrier_channel_lost(self->channels[i], reason);
}

static void end(struct carrier *self, bool alive)
{
	for (size_t i = 0; i < self->count; i++)
		carrier_channel_free(self->channels[i], alive);
	free(self->channels);
	free(self->descriptors);
	if (self->event != NULL) {
		if (self->link.session != NULL)
			ssh_event_remove_session(self->event, self->link.session);
		ssh_event_free(self->event);
	}
	ssh_link_close(&self->link);
}

/* This end's address, by which the peer may call back; "" behind a proxy. */
static void own_address(const struct carrier *self, char *text, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} own = { 0 };
	socklen_t length = sizeof(own);

	if (getsockname(ssh_get_fd(self->link.session), &own.any, &length) < 0)
		return;
	if (own.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &own.four.sin_addr, text, (socklen_t)size);
	else if (own.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &own.six.sin6_addr, text, (socklen_t)size);
}

int carrier_main(void *setup)
{
	struct carrier self = { .setup = setup, .link = SSH_LINK_NONE };
	char address[INET6_ADDRSTRLEN] = "";
	struct error err = { 0 };
	int result;

	prctl(PR_SET_NAME, "vzmigrate-ssh");
	signal(SIGPIPE, SIG_IGN);
	log_set_sink(send_log, setup);
	result = start_session(&self, &err);
	log_set_sink(NULL, NULL);
	if (result == 0) {
		leave_standard_streams();
		own_address(&self, address, sizeof(address));
		result = carrier_send(self.setup->socket, CARRIER_READY, 0, address, NULL, 0, &err);
	}
	if (result == 0)
		result = serve(&self, &err);
	if (result < 0)
		tell_everybody(&self, &err);
	end(&self, result == 0);
	return result < 0 ? 1 : 0;
}
