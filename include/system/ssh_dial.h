/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The byte stream below the ssh session: a TCP connection to the first address that answers, or
 * the socket of a proxy (`ssh -W` for ProxyJump, the words of a ProxyCommand).
 *
 * The descriptor is blocking, as libssh wants it, and made such that a write of what poll(2) said
 * can be written does not block: a send buffer of SSH_SEND_BUFFER bytes, of which at most
 * SSH_UNSENT_LIMIT wait unsent, so that a message never queues long behind bulk data.
 */
#ifndef SYSTEM_SSH_DIAL_H
#define SYSTEM_SSH_DIAL_H

#include "base/error.h"
#include "base/process.h"
#include "system/ssh_config.h"

#define SSH_SEND_BUFFER (8 << 20)
#define SSH_UNSENT_LIMIT (1 << 20)

/*
 * Connects within limit_seconds; a peer that later acknowledges nothing for timeout_seconds is cut
 * off by the kernel. *proxy is the proxy's process where there is one (the caller releases it
 * after the descriptor is closed). EXIT_CONNECT on failure.
 */
int ssh_dial(const struct ssh_config *config, int limit_seconds, int timeout_seconds,
	     struct process *proxy, int *fd, struct error *err);

#endif
