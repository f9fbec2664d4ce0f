/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where programs are, and the environment that they get. PATH is what we got, or Debian's for root
 * where we got none (a bare ssh command).
 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/error.h"
#include "base/text.h"

/* The absolute path of a program on PATH; NULL when there is none. The caller frees. */
char *process_find(const char *program);

/* The path of this very program, for starting it in another mode. The caller frees. */
char *process_own_path(void);

/* PATH with the directory before all others, for a program that shall find ours there. The caller frees. */
char *program_path_with(const char *directory);

/* In that program of ours: PATH is again what it was. */
void program_path_without(const char *directory);

/* Adds the minimal environment, and then `extra` (NAME=value; NULL: nothing), which may have a PATH of its
 * own. */
void program_environment(struct words *environment, const char *const *extra);

/* This process becomes the program on PATH that argv[0] names, with its arguments; it returns only when that
 * fails. */
int program_become(char *const *argv, struct error *err);

#endif
