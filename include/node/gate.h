/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate: a program called criu that stands before the real one on the PATH of a runtime, for what no runtime can
 * be told to do.
 *
 * At a restore the runtime is started before the images are there, does all that it has to do itself, and executes
 * criu; the gate then waits until it is told that the images are there, and becomes criu. When nobody answers,
 * the container is not to be restored.
 *
 * At a dump it becomes criu with a socket at its end as standard input: a dump that leaves memory out (the options
 * lazy-pages and ps-socket, runtime/criu_options.h) ends by serving that there to whoever asks, and nobody does.
 * Large memory that is left out criu need not look at, either: system/left_pages.h.
 *
 * It is `RUN_DIRECTORY/ID/programs/criu`, a link to this program, and reports and is answered as a hook is
 * (node/hook.h).
 */
#ifndef NODE_GATE_H
#define NODE_GATE_H

#include <stdbool.h>

#include "base/error.h"
#include "node/host.h"

/* Makes the link and its directory. */
int gate_make(const struct host *host, struct error *err);

/* The path of the link, and a PATH on which it comes before criu. The caller frees. */
char *gate_path(const struct host *host);
char *gate_search_path(const struct host *host);

/* The directory for the records of system/left_pages.h: criu makes them when it is there. The caller frees. */
char *gate_records(const struct host *host);

/* The mode of the program that is the gate; returns its exit status. */
int gate_main(char **argv);

/* Is this program started as the gate? */
bool gate_is_meant(void);

#endif
