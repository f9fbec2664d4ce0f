/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the server's host key is the one that known_hosts has. libssh connects to anybody: this
 * must be asked before anything is sent.
 *
 * All known_hosts files of the configuration (user's, then global ones) are joined in a memory
 * file that libssh reads, so that the key types they have are the ones that are negotiated. A
 * changed key, a key of another type than the known ones, and a key that a @revoked line names are
 * always refused. An unknown one is refused, asked for or noted as StrictHostKeyChecking says.
 */
#ifndef SYSTEM_SSH_TRUST_H
#define SYSTEM_SSH_TRUST_H

#include <libssh/libssh.h>

#include "base/error.h"
#include "base/text.h"
#include "system/ssh_config.h"

/* Start from SSH_TRUST_NONE. */
struct ssh_trust {
	int fd;		   /* the memory file */
	struct text hosts; /* what it holds */
};

#define SSH_TRUST_NONE                                                                             \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Before ssh_connect(). */
int ssh_trust_prepare(struct ssh_trust *trust, const struct ssh_config *config, ssh_session session,
		      struct error *err);

/* After ssh_connect(), before logging in. EXIT_CONNECT when the server is not to be trusted. */
int ssh_trust_check(const struct ssh_trust *trust, const struct ssh_config *config,
		    ssh_session session, struct error *err);

void ssh_trust_release(struct ssh_trust *trust);

#endif
