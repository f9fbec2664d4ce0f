/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this node's kernel lets memory be filled in while its processes run.
 */
#ifndef SYSTEM_USERFAULT_PROBE_H
#define SYSTEM_USERFAULT_PROBE_H

#include "base/error.h"

/* userfaultfd(2) with all that system/userfault.h wants: Linux 5.7 or newer, as root. EXIT_TECHNOLOGIES. */
int userfault_possible(struct error *err);

#endif
