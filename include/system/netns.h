/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network namespaces that have a name on this node, as ip-netns(8) keeps them: /run/netns/NAME. What is
 * in one is read from, and made by, ip(8).
 */
#ifndef SYSTEM_NETNS_H
#define SYSTEM_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct netns_link {
	char *name;		/* in the namespace */
	char *kind;		/* "veth", "macvlan", …; "" for a device of the hardware */
	char *mac;		/* or NULL */
	int mtu;		/* bytes */
	char *outer;		/* the node's end of a pair, or NULL: it is not on this node */
	char *bridge;		/* what that is plugged into, or NULL */
	struct words addresses; /* "10.0.0.5/24"; those of the link itself (fe80::) are left out */
};

void netns_link_release(struct netns_link *link);

/* Valid at `{ 0 }`; owns its items. The loopback device is left out. */
struct netns_links {
	struct netns_link *items;
	size_t count;
};

void netns_release(struct netns_links *links);

/* The NAME of /run/netns/NAME or /var/run/netns/NAME, borrowed; NULL when the path is no such one. */
const char *netns_name(const char *path);

/* Everything in it; `routes` gets what the kernel does not make by itself, in the words of ip-route(8)
 * after a family: "inet default via 10.0.0.1 dev eth0". */
int netns_read(const char *path, struct netns_links *links, struct words *routes,
	       struct error *err);

/* Is it the network namespace of this process? */
bool netns_is_of(const char *path, pid_t pid);

/*
 * Each makes what is not there yet and puts right what is, so that all can be said again after a crash:
 * the namespace with its loopback device; a pair of devices of which the inner end is `link` and the
 * outer is plugged in nowhere (`inner` is its name on the way); the routes.
 */
int netns_make(const char *path, struct error *err);
int netns_make_link(const char *path, const struct netns_link *link, const char *inner,
		    struct error *err);
int netns_make_routes(const char *path, const struct words *routes, struct error *err);

/* Nothing of that name is success. What is in it goes when the last process has left it. */
int netns_delete(const char *path, struct error *err);

#endif
