/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The carrier: the small process that owns the ssh session. Everything that happens on the session
 * happens here, in one poll loop, so that the rest of the program stays plain code. It is asked by
 * messages (system/carrier_message.h) over the main socket and the clients' sockets, and moves the
 * bytes of every command itself (system/carrier_channel.h).
 *
 * It ends when the main socket is closed, and, after telling everybody, when the session is lost.
 */
#ifndef SYSTEM_CARRIER_H
#define SYSTEM_CARRIER_H

#include "system/ssh_config.h"

struct carrier_setup {
	int socket; /* to main */
	const struct ssh_config *config;
	int timeout_seconds;
};

/* For process_fork(): connects, reports, serves. Takes a struct carrier_setup. */
int carrier_main(void *setup);

#endif
