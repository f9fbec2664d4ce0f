/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person at a terminal, or in a log, reads: notices and results on standard output, one
 * sentence for a failure on standard error.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/log.h"
#include "migration/migration.h"

/* The log's sink. */
void report_log(void *data, enum log_level level, const char *text);

/* "vzmigrate: …", with the container where there is one. */
void report_failure(const char *container, const struct error *failure);

/* Where the container is now, and with `times` how long each step took. */
void report_success(const struct migration *migration, bool times);

#endif
