/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that blocks long outside wait_for(), such as removing a tree or syncing a disk, done in a
 * child, so that meanwhile the peer is heard and pinged.
 */
#ifndef BASE_OFFLOAD_H
#define BASE_OFFLOAD_H

#include "base/error.h"

/* Calls function(data) in a child and waits for it. Returns what it returned, with its error; the
 * child is ended when the wait is interrupted. */
int offload(int (*function)(const void *data, struct error *err), const void *data,
	    struct error *err);

#endif
