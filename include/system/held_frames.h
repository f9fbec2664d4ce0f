/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the frames that pass a container's network devices while it stands still, so that they come late
 * and not never.
 *
 * What is lost its sender repeats only after 0.2 s, then 0.4 s, and so on, and an address that was asked
 * for in vain is asked for again after a second: a client would wait longer than the container stands
 * still, mostly twice as long. What comes twice TCP drops.
 *
 * The kernel keeps them, in the queue of a packet socket; what does not fit in there is lost, as it would
 * have been. Best effort: a failure is for a debug message.
 */
#ifndef SYSTEM_HELD_FRAMES_H
#define SYSTEM_HELD_FRAMES_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

enum held_direction {
	HELD_ARRIVING, /* IP that came for the container */
	HELD_LEAVING,  /* whatever it sent */
};

/* More devices than any container has; those that follow are left out. */
#define HELD_DEVICES_MAX 64

/* Where a device of the container is plugged in on this node; both are borrowed. */
struct held_device {
	const char *name; /* in the container */
	const char *bridge;
};

/* Keeps from now on what passes the Ethernet devices of the process's network namespace. Returns a
 * descriptor, or -1; closing it takes the kernel some 10 ms. */
int held_frames_begin(pid_t pid, enum held_direction direction, struct error *err);

/* Sends what left the container again, from the devices that it left from. Returns how many. */
size_t held_frames_repeat(int held);

/*
 * Sends what came for the container to where it is now, from this node's bridges and with their MACs as
 * the sender's: a switch must not learn that the sender is here. What came for devices that are not
 * among these is dropped. Returns how many, or -1.
 */
int held_frames_forward(int held, const struct held_device *devices, size_t count,
			struct error *err);

#endif
