/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which options need, and which exclude, each other: one table.
 */
#ifndef CLI_OPTION_RULES_H
#define CLI_OPTION_RULES_H

#include "base/error.h"
#include "cli/options.h"

/* EXIT_USAGE naming both options. */
int option_rules_check(const struct options *options, struct error *err);

#endif
