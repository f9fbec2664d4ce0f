/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ssh session from nothing to logged in: dialling, key exchange, host key, login.
 */
#ifndef SYSTEM_SSH_SESSION_H
#define SYSTEM_SSH_SESSION_H

#include <libssh/libssh.h>

#include "base/error.h"
#include "base/process.h"
#include "system/ssh_config.h"

/* The longest that connecting may take where neither ConnectTimeout nor --timeout says less. */
#define SSH_CONNECT_SECONDS 10

/* Start from SSH_LINK_NONE. */
struct ssh_link {
	ssh_session session; /* in libssh's non-blocking mode */
	struct process proxy;
};

#define SSH_LINK_NONE                                                                              \
	{                                                                                          \
		.proxy = PROCESS_NONE                                                              \
	}

/* timeout_seconds: a peer silent for this long is lost. EXIT_CONNECT on failure. */
int ssh_link_open(struct ssh_link *link, const struct ssh_config *config, int timeout_seconds,
		  struct error *err);

/* Says goodbye when the session still lives. */
void ssh_link_close(struct ssh_link *link);

#endif
