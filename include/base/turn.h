/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only one of several processes of a run may do at a time (--parallel). A turn is a lock of a
 * file that has no name, held by a process: when that ends, however it does, the turn is free.
 */
#ifndef BASE_TURN_H
#define BASE_TURN_H

#include "base/error.h"

enum turn {
	TURN_CONNECT, /* logging in: it may ask the admin, and sshd limits logins under way */
	TURN_STOP,    /* having its container stopped */
};

/* A descriptor for the processes to share, or -1. */
int turn_make(struct error *err);

/* Waits until it is this process's turn, which it may be already. With descriptor 0 there is nobody to wait
 * for. */
int turn_take(int turns, enum turn turn, struct error *err);
void turn_give(int turns, enum turn turn);

#endif
