/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A setting of the kernel that must have a certain value for a while: several processes may want it at once, the
 * first changes it, the last puts it back, and what a crash left anybody can put back later. Where it has the value
 * anyway nothing is changed.
 *
 * Who wants it holds a shared lock on a file, in which the value from before stands.
 */
#ifndef SYSTEM_SYSCTL_LEASE_H
#define SYSTEM_SYSCTL_LEASE_H

#include "base/error.h"

struct sysctl_lease {
	const char *setting; /* its file below /proc/sys */
	const char *value;   /* a word */
	const char *file;    /* for the lock; its directory is there */
};

/*
 * The setting has the value from now on. *fd gets the lock; it goes with its last duplicate, in whatever process. -1
 * in *fd: nothing had to be done, or the kernel has no such setting.
 */
int sysctl_lease_take(const struct sysctl_lease *lease, int *fd, struct error *err);

/* It may have any value. The descriptor (or -1) stays open, and a second call does nothing. */
void sysctl_lease_return(const struct sysctl_lease *lease, int fd);

/* Where nobody wants it any more, but nobody has put it back, that is done now. */
void sysctl_lease_settle(const struct sysctl_lease *lease);

#endif
