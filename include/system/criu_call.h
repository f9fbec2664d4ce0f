/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program called `criu` has been started for. lxc-checkpoint says so in words ("dump", "restore"); runc
 * and crun start `criu swrk SOCKET` and say on that socket, one message for one request (criu's images/rpc.proto);
 * all of them also ask criu for its version, or what it can do.
 */
#ifndef SYSTEM_CRIU_CALL_H
#define SYSTEM_CRIU_CALL_H

enum criu_call {
	CRIU_OTHER,
	CRIU_DUMP,
	CRIU_RESTORE,
};

/* By the program's argument vector. Waits for a request that is to come by socket, and leaves it there for
 * criu. What is not understood is CRIU_OTHER: criu itself will say what is wrong. */
enum criu_call criu_call(char *const *argv);

#endif
