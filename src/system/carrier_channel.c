// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the life of one remote command inside the carrier. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/carrier_channel.h"
#include "system/carrier_message.h"

/* What a shell calls the death of a writer whose reader is gone: 128 + SIGPIPE. */
#define STATUS_NO_READER 141

/* What ssh(1) returns when there is no status. */
#define STATUS_NONE 255

enum { CLIENT, INPUT, OUTPUT, ERRORS };

bool carrier_session_writable(ssh_session session)
{
	return (ssh_get_status(session) & SSH_WRITE_PENDING) == 0;
}

/* The callbacks only note what happened: they may be called from within any call of libssh. */
static int note_data(ssh_session session, ssh_channel channel, void *data, uint32_t length,
		     int is_stderr, void *user)
{
	struct carrier_channel *self = user;

	(void)session, (void)channel, (void)data;
	self->waiting[is_stderr != 0] = length;
	return 0;
}

static void note_eof(ssh_session session, ssh_channel channel, void *user)
{
	struct carrier_channel *self = user;

	(void)session, (void)channel;
	self->remote_eof = true;
}

static void note_close(ssh_session session, ssh_channel channel, void *user)
{
	struct carrier_channel *self = user;

	(void)session, (void)channel;
	self->remote_eof = true;
	self->remote_closed = true;
}

static void note_status(ssh_session session, ssh_channel channel, int status, void *user)
{
	struct carrier_channel *self = user;

	(void)session, (void)channel;
	self->status = status & 0xff;
}

static void note_signal(ssh_session session, ssh_channel channel, const char *name, int core,
			const char *message, const char *language, void *user)
{
	/* The names that RFC 4254 has, with the numbers that Linux has on every machine. */
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "HUP", 1 },	{ "INT", 2 },	{ "QUIT", 3 },	{ "ILL", 4 },	{ "ABRT", 6 },
		{ "FPE", 8 },	{ "KILL", 9 },	{ "USR1", 10 }, { "SEGV", 11 }, { "USR2", 12 },
		{ "PIPE", 13 }, { "ALRM", 14 }, { "TERM", 15 },
	};
	struct carrier_channel *self = user;

	(void)session, (void)channel, (void)core, (void)message, (void)language;
	self->status = STATUS_NONE;
	for (size_t i = 0; name != NULL && i < COUNT_OF(signals); i++)
		if (strcmp(signals[i].name, name) == 0)
			self->status = 128 + signals[i].number;
}

struct carrier_channel *carrier_channel_new(int client)
{
	struct carrier_channel *self = memory_allocate(1, sizeof(*self));

	self->client = client;
	carrier_stream_open(&self->input, -1);
	carrier_stream_open(&self->output, -1);
	carrier_stream_open(&self->errors, -1);
	return self;
}

/*
 * Without blocking, ssh_channel_close() stops after its end of file when the socket is full: only
 * the second call then sends the close, without which sshd keeps the channel.
 */
static void drop_channel(struct carrier_channel *self)
{
	if (self->channel == NULL)
		return;
	ssh_remove_channel_callbacks(self->channel, &self->callbacks);
	if (ssh_channel_is_open(self->channel) || self->remote_closed)
		if (ssh_channel_close(self->channel) != SSH_OK)
			ssh_channel_close(self->channel);
	ssh_channel_free(self->channel);
	self->channel = NULL;
}

static void finish(struct carrier_channel *self)
{
	drop_channel(self);
	carrier_stream_close(&self->input, false);
	carrier_stream_close(&self->output, true);
	carrier_stream_close(&self->errors, false);
	memory_release(&self->command);
	self->state = CHANNEL_IDLE;
}

static void report(struct carrier_channel *self, enum carrier_kind kind, int number,
		   const char *text)
{
	struct error ignored; /* a client that is gone is noticed by its socket */

	finish(self);
	if (self->client >= 0)
		carrier_send(self->client, kind, number, text, NULL, 0, &ignored);
}

static void start(struct carrier_channel *self, ssh_session session,
		  struct carrier_message *message)
{
	self->command = memory_steal(&message->text);
	carrier_stream_open(&self->input, descriptor_steal(&message->fds[0]));
	carrier_stream_open(&self->output, descriptor_steal(&message->fds[1]));
	carrier_stream_open(&self->errors, descriptor_steal(&message->fds[2]));
	self->waiting[0] = 0;
	self->waiting[1] = 0;
	self->remote_eof = false;
	self->remote_closed = false;
	self->status = -1;
	self->channel = ssh_channel_new(session);
	if (self->channel == NULL) {
		report(self, CARRIER_FAILED, EXIT_CONNECT, "cannot make an ssh channel");
		return;
	}
	self->callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = self,
		.channel_data_function = note_data,
		.channel_eof_function = note_eof,
		.channel_close_function = note_close,
		.channel_exit_status_function = note_status,
		.channel_exit_signal_function = note_signal,
	};
	ssh_callbacks_init(&self->callbacks);
	ssh_set_channel_callbacks(self->channel, &self->callbacks);
	self->state = CHANNEL_OPENING;
}

/* False when the client is gone. */
static bool hear_client(struct carrier_channel *self, ssh_session session)
{
	struct carrier_message message;
	int got = carrier_receive(self->client, &message);

	if (got == 1 && message.kind == CARRIER_RUN && self->state == CHANNEL_IDLE &&
	    message.fds[2] >= 0)
		start(self, session, &message);
	else if (got == 1)
		got = -1; /* no client of ours says anything else */
	carrier_message_release(&message);
	return got >= 0;
}

static void open_channel(struct carrier_channel *self)
{
	int result = ssh_channel_open_session(self->channel);

	if (result == SSH_AGAIN)
		return;
	if (result != SSH_OK) {
		report(self, CARRIER_FAILED, EXIT_CONNECT,
		       "the ssh server opens no more channels (see MaxSessions in its "
		       "sshd_config)");
		return;
	}
	self->state = CHANNEL_EXECUTING;
}

static void execute(struct carrier_channel *self)
{
	int result = ssh_channel_request_exec(self->channel, self->command);

	if (result == SSH_AGAIN)
		return;
	if (result != SSH_OK)
		report(self, CARRIER_FAILED, EXIT_CONNECT,
		       "the ssh server refuses to run commands");
	else
		self->state = CHANNEL_RUNNING;
}

/* One of the two outputs; the other's backlog in libssh must be small, or reading would grow it. */
static int pump_output(struct carrier_channel *self, struct carrier_stream *stream, bool errors)
{
	if (!carrier_stream_pending(stream) &&
	    (self->waiting[errors] == 0 || self->waiting[!errors] > CARRIER_CHUNK))
		return 0;
	return carrier_stream_receive(stream, self->channel, errors, &self->waiting[errors]);
}

static void pump_input(struct carrier_channel *self, ssh_session session, bool ready)
{
	int result;

	if (self->input.fd < 0 || self->remote_closed || !carrier_session_writable(session) ||
	    !(ready || carrier_stream_pending(&self->input)))
		return;
	result = carrier_stream_send(&self->input, self->channel);
	if (result > 0)
		return;
	if (result == 0)
		ssh_channel_send_eof(self->channel);
	carrier_stream_close(&self->input, false);
}

static bool drained(const struct carrier_channel *self)
{
	return self->waiting[0] == 0 && self->waiting[1] == 0 &&
	       !carrier_stream_pending(&self->output) && !carrier_stream_pending(&self->errors);
}

static void pump(struct carrier_channel *self, ssh_session session,
		 const struct pollfd *descriptors)
{
	if (pump_output(self, &self->errors, true) < 0)
		carrier_stream_close(&self->errors, false);
	if (pump_output(self, &self->output, false) < 0) {
		report(self, CARRIER_ENDED, STATUS_NO_READER, "");
		return;
	}
	pump_input(self, session,
		   descriptors[INPUT].fd == self->input.fd && descriptors[INPUT].revents != 0);
	if (self->remote_closed && drained(self))
		report(self, CARRIER_ENDED, self->status >= 0 ? self->status : STATUS_NONE, "");
	else if (self->remote_eof && drained(self))
		carrier_stream_close(&self->output, true);
}

void carrier_channel_poll(const struct carrier_channel *self, bool writable,
			  struct pollfd *descriptors)
{
	bool wants_input = writable && self->state == CHANNEL_RUNNING && !self->remote_closed &&
			   !carrier_stream_pending(&self->input) &&
			   ssh_channel_window_size(self->channel) > 0;

	descriptors[CLIENT] = (struct pollfd){ self->client, POLLIN, 0 };
	descriptors[INPUT] = (struct pollfd){ wants_input ? self->input.fd : -1, POLLIN, 0 };
	descriptors[OUTPUT] =
		(struct pollfd){ carrier_stream_pending(&self->output) ? self->output.fd : -1,
				 POLLOUT, 0 };
	descriptors[ERRORS] =
		(struct pollfd){ carrier_stream_pending(&self->errors) ? self->errors.fd : -1,
				 POLLOUT, 0 };
}

bool carrier_channel_step(struct carrier_channel *self, ssh_session session,
			  const struct pollfd *descriptors)
{
	if (descriptors[CLIENT].revents != 0 && !hear_client(self, session)) {
		descriptor_close(&self->client);
		if (self->state != CHANNEL_OPENING)
			finish(self);
	}
	if (self->state == CHANNEL_OPENING)
		open_channel(self);
	/* A channel that is being opened can only be closed when it is open. */
	if (self->client < 0 && self->state == CHANNEL_EXECUTING)
		finish(self);
	if (self->state == CHANNEL_EXECUTING)
		execute(self);
	if (self->state == CHANNEL_RUNNING)
		pump(self, session, descriptors);
	return self->client >= 0 || self->state != CHANNEL_IDLE;
}

void carrier_channel_lost(struct carrier_channel *self, const struct error *reason)
{
	struct error ignored;

	if (self->client >= 0)
		carrier_send(self->client, CARRIER_LOST, reason->exit_status, reason->text, NULL, 0,
			     &ignored);
}

void carrier_channel_free(struct carrier_channel *self, bool session_alive)
{
	if (!session_alive && self->channel != NULL) {
		ssh_remove_channel_callbacks(self->channel, &self->callbacks);
		self->channel = NULL; /* ssh_free() frees the channels it knows */
	}
	finish(self);
	descriptor_close(&self->client);
	free(self);
}
