/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --parallel: several containers at once, each in a worker, a process of its own with a connection
 * of its own. This process only prints what they do, and hands on signals.
 */
#ifndef CLI_PARALLEL_H
#define CLI_PARALLEL_H

#include "base/error.h"
#include "cli/options.h"

/*
 * Runs work(options, i) in a worker for each container of the list, options->parallel at a time. What it
 * returns becomes statuses[i]; a container whose turn never came keeps what was there. After a signal no
 * worker is started any more, and those that run put everything back. -1: nothing was begun.
 */
int parallel_run(struct options *options, int (*work)(const struct options *options, size_t i),
		 int *statuses, struct error *err);

#endif
