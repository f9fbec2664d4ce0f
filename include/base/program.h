/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where programs are, and the environment that they get. PATH is what we got, or Debian's for root
 * where we got none (a bare ssh command).
 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/text.h"

/* The absolute path of a program on PATH; NULL when there is none. The caller frees. */
char *process_find(const char *program);

/* The path of this very program, for starting it in another mode. The caller frees. */
char *process_own_path(void);

/* Adds the minimal environment, and then `extra` (NAME=value; NULL: nothing). */
void program_environment(struct words *environment, const char *const *extra);

#endif
