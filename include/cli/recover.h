/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --recover: migrations that were interrupted are settled from their journals.
 */
#ifndef CLI_RECOVER_H
#define CLI_RECOVER_H

#include "cli/options.h"

/* Returns the exit status: that of the first container that could not be settled. */
int recover_command(const struct options *options);

#endif
