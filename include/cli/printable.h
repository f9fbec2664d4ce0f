/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of others (a peer, a tool, the name of a file) made harmless for where they are shown.
 */
#ifndef CLI_PRINTABLE_H
#define CLI_PRINTABLE_H

/*
 * In place: every control character and every byte that is no part of a UTF-8 character becomes '?', so
 * that nothing steers a terminal, looks like another line, or breaks JSON.
 */
void printable_make(char *text);

#endif
