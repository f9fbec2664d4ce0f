/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run of `vzmigrate --recover [--abort] [CTID...]`.
 */
#ifndef CLI_RECOVER_H
#define CLI_RECOVER_H

#include "cli/options.h"

/* Settles the containers named, or all that have a journal here; returns the exit status: that of the
 * first that failed. */
int recover_command(const struct options *options);

#endif
