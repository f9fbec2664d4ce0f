/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Noticing writes to another process's memory by userfaultfd(2), the asynchronous way (kernel 6.7): a page
 * is write-protected (system/page_scan.h), and the first write takes that away, without anybody being asked.
 * When the last copy of the descriptor is closed, all of it is gone.
 *
 * A process can have a userfaultfd only for itself: it is made to ask for one (system/inject.h), and does not
 * keep it.
 */
#ifndef SYSTEM_WRITE_WATCH_H
#define SYSTEM_WRITE_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Can this be done on this kernel? */
bool write_watch_is_possible(void);

/* One of the process, ready for use. -1 on failure. */
int write_watch_open(pid_t pid, struct error *err);

/*
 * From now on pages of this range can be protected, none of them is yet. Returns 0, or -1 with errno: EBUSY:
 * another userfaultfd has it; ENOMEM: the process has other memory by now, or none. What lies between
 * mappings is left out.
 */
int write_watch_register(int fault, uint64_t start, uint64_t end);

#endif
