/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the admin says about the connection: the destination, and --ssh=OPTIONS as for ssh(1).
 * Nothing here looks at a configuration or at the network.
 */
#ifndef SYSTEM_SSH_OPTIONS_H
#define SYSTEM_SSH_OPTIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/* [user@]host[:port]; { 0 } is empty. */
struct destination {
	char *user; /* NULL: what ssh's configuration says */
	char *host; /* a name, an IPv4 or an IPv6 address without brackets */
	int port;   /* 0: what ssh's configuration says */
};

/* Also "[::1]:2222", and "::1" (then there is no port). EXIT_USAGE names what is wrong. */
int destination_parse(struct destination *destination, const char *text, struct error *err);
/* The contrary. The caller frees. */
char *destination_text(const struct destination *destination);
void destination_release(struct destination *destination);

/* Options of ssh(1), checked, ready to be given to `ssh -G`; { 0 } is empty. */
struct ssh_options {
	struct words words;
	bool ciphers; /* the admin chose them: -c or -o Ciphers */
};

/*
 * Splits the text as a shell would and adds its options: -p -i -l -o -F -J -c -m -b -B (with a value,
 * attached or not), -C -4 -6; -q -v -x -a -T -n -k change nothing here and are dropped. May be
 * called again to add more. Anything else, a host name included, is EXIT_USAGE naming the word.
 */
int ssh_options_parse(struct ssh_options *options, const char *text, struct error *err);
void ssh_options_release(struct ssh_options *options);

#endif
