/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of the source's container when the destination has it.
 */
#ifndef NODE_RETIRE_H
#define NODE_RETIRE_H

#include <stdbool.h>

#include "base/error.h"
#include "node/host.h"

/*
 * Removes directory and private area, or leaves them as NAME.migrated (NAME.migrated.2… where that
 * is taken), fenced. They are renamed first, so that no half of a container is ever in place.
 */
int retire_container(struct host *host, bool remove, struct error *err);

#endif
