/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of a container that stands still: what comes for it on the source is sent after it, and what
 * its kernel sends on the destination before it is plugged in is sent again then (system/held_frames.h).
 * Nothing depends on it but the patience of the container's peers: failures are debug messages.
 */
#ifndef NODE_FRAMES_H
#define NODE_FRAMES_H

#include "node/host.h"
#include "system/held_frames.h"

/* Keeps what passes the devices of the process's container, from now on. */
void frames_keep(struct host *host, pid_t pid, enum held_direction direction);

/* Destination, when it is plugged in: what the container has sent is sent again. */
void frames_repeat(const struct host *host);

/* Source, when the destination has announced its addresses: what came for it goes there. */
void frames_forward(const struct host *host);

#endif
