/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The containers on the command line: CTID[:newCTID[:private[:root]]], and no two the same.
 */
#ifndef CLI_REQUESTS_H
#define CLI_REQUESTS_H

#include "base/error.h"
#include "cli/options.h"

/* Adds one; with --recover only its id. EXIT_USAGE names the word, and what is wrong with it. */
int requests_add(struct options *options, const char *word, struct error *err);
void requests_release(struct options *options);

/* The same container twice, or two that would have one name or one directory there. EXIT_USAGE. */
int requests_check(const struct options *options, struct error *err);

#endif
