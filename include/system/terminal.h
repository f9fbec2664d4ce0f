/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking the admin on the terminal, from a process that is not the one in its foreground.
 */
#ifndef SYSTEM_TERMINAL_H
#define SYSTEM_TERMINAL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/*
 * Is there somebody to ask? Standard input is a terminal, /dev/tty opens, and this program (its
 * parent's process group or its own) is in the foreground.
 */
bool terminal_present(void);

/*
 * Shows the prompt on /dev/tty and appends the line that is typed, without its newline; with
 * `echo` unset it is not shown. While it asks, this process group is the foreground's: ^C reaches
 * it and is EXIT_INTERRUPTED. Terminal modes and foreground are put back whatever happens, also on
 * SIGTERM. The caller overwrites secrets (explicit_bzero) when it is done with them.
 */
int terminal_ask(const char *prompt, bool echo, struct text *answer, struct error *err);

#endif
