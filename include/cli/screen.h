/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last lines of a terminal: one for each container that is being moved, redrawn in place. Where
 * standard output is no terminal nothing is drawn.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>

/* Looks whether there is a terminal that can do it. */
void screen_begin(void);
bool screen_is_there(void);

/* The container's line; NULL: it has none any more. `quiet`: nothing is drawn as long as any container
 * wants that, because it may be asking the admin something. */
void screen_set(const char *container, const char *text, bool quiet);

/* Around anything else that is printed. */
void screen_erase(void);
void screen_draw(void);

#endif
