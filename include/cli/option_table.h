/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of options: what each is called, takes and sets. Parsing, --help and the rules of what
 * goes with what are made from it; lint compares the man page and the completion with --help.
 */
#ifndef CLI_OPTION_TABLE_H
#define CLI_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/options.h"

enum takes {
	TAKES_NOTHING,
	TAKES_WORD,
	TAKES_WORD_OR_NOTHING, /* only by "=", or attached to the letter */
};

struct option_row {
	char letter; /* 0: long only */
	const char *name;
	enum takes takes;
	const char *argument; /* as --help shows it */
	const char *help;     /* NULL: another name of the row before */
	bool recovers;	      /* has a meaning for --recover too */
	/* One of the two: the bool in struct options that becomes true, or what to do with the argument
	 * (NULL where none was given). */
	size_t flag;
	int (*set)(struct options *options, const char *argument, struct error *err);
};

extern const struct option_row option_rows[];
extern const size_t option_count;

#endif
