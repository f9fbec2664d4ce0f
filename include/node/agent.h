/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent: the mode of the program that serves the source's requests on the destination, on its
 * standard input and output (wire/message.h). It does what the source asks, in order. When the
 * connection ends before the container is held, it takes back everything that it made; once it is
 * held, nothing: only the journals' rules may end that (HACKING.md, the commit protocol).
 */
#ifndef NODE_AGENT_H
#define NODE_AGENT_H

/* Returns the exit status. */
int agent_main(void);

#endif
