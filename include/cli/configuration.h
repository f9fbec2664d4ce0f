/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's configuration, /etc/vz/vz.conf: lines KEY=VALUE as for a shell, but read as data,
 * never sourced. Only these keys are read:
 *
 *	REMOVEMIGRATED=yes|no	what -r defaults to
 */
#ifndef CLI_CONFIGURATION_H
#define CLI_CONFIGURATION_H

#include <stdbool.h>

#include "base/error.h"

#define CONFIGURATION_FILE "/etc/vz/vz.conf"

/* Leaves *remove_migrated as it is where the file or the key is missing. EXIT_USAGE for another
 * value. */
int configuration_read(const char *path, bool *remove_migrated, struct error *err);

#endif
