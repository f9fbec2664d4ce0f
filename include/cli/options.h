/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: read by one table of options (cli/option_table.h) and one of their conflicts.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "migration/migration.h"

enum mode {
	MODE_MIGRATE,
	MODE_RECOVER,
	MODE_HELP,
	MODE_VERSION,
};

struct options {
	enum mode mode;
	struct migration_options migration;
	struct migration_request *requests; /* the containers, in order; MODE_RECOVER: maybe none */
	size_t request_count;
	bool abort; /* MODE_RECOVER: undo rather than finish */
	bool batch; /* JSON lines on standard output */
	bool times;
	int parallel; /* containers at once */
	int verbosity;
	uint64_t given; /* bit N: the table's row N was on the command line */
};

/* Reads argv; EXIT_USAGE with a sentence that names the word at fault. Contacts nothing. */
int options_parse(struct options *options, int argc, char **argv, struct error *err);
void options_release(struct options *options);

/* Was it on the command line, by this or another of its names? */
bool options_given(const struct options *options, const char *name);

void options_print_help(FILE *stream);

#endif
