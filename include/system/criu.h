/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criu's logs: what in them is the cause of a failure.
 */
#ifndef SYSTEM_CRIU_H
#define SYSTEM_CRIU_H

#include "base/error.h"
#include "base/text.h"

/*
 * The first line of the log that names an error and is not known to be harmless, without criu's time
 * stamps and source positions. "" when there is none or no log.
 */
void criu_log_cause(const char *log, struct text *cause);

#endif
