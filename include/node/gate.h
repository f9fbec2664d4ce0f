/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate: a program called criu that stands before the real one on the PATH of a runtime that restores a
 * container. The runtime is started before the images are there, does all that it has to do itself, and
 * executes criu; the gate then waits until it is told that the images are there, and becomes criu.
 *
 * It is `RUN_DIRECTORY/ID/programs/criu`, a link to this program, and reports and is answered as a hook is
 * (node/hook.h). When nobody answers, the container is not to be restored.
 */
#ifndef NODE_GATE_H
#define NODE_GATE_H

#include <stdbool.h>

#include "base/error.h"
#include "node/host.h"

/* Makes the directory with the link. */
int gate_make(const struct host *host, struct error *err);

/* That directory. The caller frees. */
char *gate_directory(const struct host *host);

/* The mode of the program that is the gate; returns its exit status. */
int gate_main(char **argv);

/* Is this program started as the gate? */
bool gate_is_meant(void);

#endif
