// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for numbers with units. */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "cli/units.h"

/* Beyond these nobody means what he writes. */
#define RATE_MOST ((double)(1ULL << 50))
#define TIME_MOST_MS (3600.0 * 1000)

struct unit {
	const char *name;
	double factor;
};

/* Without a unit as rsync's --bwlimit: KiB. */
static const struct unit rate_units[] = {
	{ "", 1 << 10 },    { "k", 1 << 10 },	{ "m", 1 << 20 },   { "g", 1 << 30 },
	{ "kib", 1 << 10 }, { "mib", 1 << 20 }, { "gib", 1 << 30 },
};

static const struct unit time_units[] = { { "ms", 1 }, { "s", 1000 } };

/* "12" or "1.5", followed by one of the units. */
static int parse(const char *text, const struct unit *units, size_t count, double *value)
{
	size_t length = strspn(text, "0123456789.");
	char *end;

	/* Neither signs, nor exponents, nor "inf". */
	if (length == 0 || !isdigit((unsigned char)text[0]))
		return -1;
	*value = strtod(text, &end);
	if (end != text + length)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(end, units[i].name) == 0) {
			*value *= units[i].factor;
			return 0;
		}
	return -1;
}

int units_parse_rate(const char *text, uint64_t *bytes)
{
	double value;

	if (parse(text, rate_units, COUNT_OF(rate_units), &value) < 0 || value > RATE_MOST)
		return -1;
	/* Less than rsync can count. */
	if (value > 0 && value < 1024)
		return -1;
	*bytes = (uint64_t)value;
	return 0;
}

int units_parse_time(const char *text, int64_t *milliseconds)
{
	double value;

	if (parse(text, time_units, COUNT_OF(time_units), &value) < 0 || value < 1 ||
	    value > TIME_MOST_MS)
		return -1;
	*milliseconds = (int64_t)value;
	return 0;
}

int units_parse_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || !isdigit((unsigned char)*text) || *end != '\0' || value < least ||
	    value > most)
		return -1;
	*number = value;
	return 0;
}

void units_format_bytes(char text[UNITS_SIZE], int64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1024 && i + 1 < COUNT_OF(names)) {
		value /= 1024;
		i++;
	}
	snprintf(text, UNITS_SIZE, i == 0 ? "%.0f %s" : "%.1f %s", value, names[i]);
}
