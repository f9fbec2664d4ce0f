/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the peer is still there. Everything it sends is a sign of life; when nothing comes it is
 * asked (keepalive@openssh.com), four times within the time-out. While data still flows into a slow
 * line, that its kernel acknowledges some of it is a sign of life too: the question waits behind it.
 */
#ifndef SYSTEM_CARRIER_PULSE_H
#define SYSTEM_CARRIER_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

struct carrier_pulse {
	struct ssh_counter_struct counter; /* libssh counts the socket's bytes in it */
	int timeout_ms;
	uint64_t seen_bytes, acknowledged_bytes;
	int64_t alive, asked; /* wait_clock() */
};

/* Must stay where it is as long as the session lives. */
void carrier_pulse_start(struct carrier_pulse *pulse, ssh_session session, int timeout_seconds);

/* Looks, asks when due; false when the peer has been silent for too long. */
bool carrier_pulse_check(struct carrier_pulse *pulse, ssh_session session);

/* When to look again, in milliseconds. */
int carrier_pulse_interval(const struct carrier_pulse *pulse);

#endif
