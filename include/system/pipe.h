/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pipe mode: what rsync executes instead of ssh, by -e 'vzmigrate --pipe FD[,sudo]'. It hands
 * its own standard descriptors to the carrier, so that the bytes go directly between rsync and the
 * carrier, waits for the remote command, and ends with its status.
 *
 *	vzmigrate --pipe FD[,sudo] [-l user] HOST COMMAND...
 *
 * FD is an inherited descriptor from connection_client(), HOST only a word that rsync needs, and
 * the command's words are joined by blanks, as ssh(1) does. With ",sudo" it is run by `sudo -n`.
 * The caller closes its own copy of FD when rsync has been started: then the remote command ends
 * with the last of rsync's processes.
 */
#ifndef SYSTEM_PIPE_H
#define SYSTEM_PIPE_H

#include "base/error.h"

/* What ssh(1) exits with when it is ssh that failed; rsync knows it. */
#define PIPE_LOST 255

/*
 * argv from "--pipe" on (argv[0] is "--pipe"). Returns the exit status for main(); when that is
 * PIPE_LOST because of us, *err has the sentence to print, else err->text is empty.
 */
int pipe_run(int argc, char *const *argv, struct error *err);

#endif
