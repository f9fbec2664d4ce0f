/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line mode: reads options, runs a migration per container, reports to a person.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* Returns the exit status: that of the first container that failed. */
int cli_main(int argc, char **argv);

#endif
