/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of options that criu reads, whoever starts it, because the environment names it
 * (CRIU_CONFIG_FILE). Nothing but src/runtime includes this.
 */
#ifndef RUNTIME_CRIU_OPTIONS_H
#define RUNTIME_CRIU_OPTIONS_H

#include "base/error.h"
#include "base/text.h"
#include "runtime/runtime.h"

/*
 * What every runtime's criu is told at a dump and at a restore. At a dump that leaves memory out criu ends by
 * serving it on its standard input, where nobody asks (node/gate.h).
 */
void criu_options_dump(const struct checkpoint *checkpoint, struct text *options);

/* And leads criu to the socket of whoever brings the memory. cgroup: the one that it restores into; NULL: criu
 * finds it. */
int criu_options_restore(const struct checkpoint *checkpoint, const char *cgroup,
			 struct text *options, struct error *err);

/* Writes checkpoint->work/criu.conf, and names it to the command. */
int criu_options_write(const struct checkpoint *checkpoint, const struct text *options,
		       struct command *command, struct error *err);

#endif
