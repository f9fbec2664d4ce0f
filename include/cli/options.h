/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: one table of options, from which parsing and --help are made.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "migration/migration.h"

enum mode {
	MODE_MIGRATE,
	MODE_HELP,
	MODE_VERSION,
};

struct options {
	enum mode mode;
	struct migration_options migration;
	struct words containers;
	bool remove_area_given; /* -r was on the command line */
	bool times;
	int verbosity;
};

/* Reads argv; EXIT_USAGE with a sentence that names the word at fault. Contacts nothing. */
int options_parse(struct options *options, int argc, char **argv, struct error *err);
void options_release(struct options *options);

void options_print_help(FILE *stream);

#endif
