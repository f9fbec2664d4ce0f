/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person at a terminal, or in a log, reads of the events: stages and results on standard
 * output, one sentence for a failure, and warnings, on standard error; on a terminal a line of
 * progress for each container.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdbool.h>

#include <json-c/json.h>

#include "base/error.h"

/* With `times` results say how long each stage took; with `checks` those that found nothing are told too. */
void report_begin(bool times, bool checks);

/* Prints what a person should see of it. Borrowed. */
void report_event(json_object *event);

#endif
