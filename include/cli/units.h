/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers with units, as people write and read them: rates, times, sizes.
 */
#ifndef CLI_UNITS_H
#define CLI_UNITS_H

#include <stdint.h>

/* "10M", "1.5G", "800" (KiB, as to rsync) and "0" (no limit): bytes a second. -1: it is no such word. */
int units_parse_rate(const char *text, uint64_t *bytes);

/* "300ms", "2s", "1.5s". -1: it is no such word. */
int units_parse_time(const char *text, int64_t *milliseconds);

/* A plain number within bounds. -1: it is none. */
int units_parse_number(const char *text, int64_t least, int64_t most, int64_t *number);

/* "1.5 GiB", "820 B" */
#define UNITS_SIZE 24
void units_format_bytes(char text[UNITS_SIZE], int64_t bytes);

#endif
