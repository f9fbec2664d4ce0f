/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network interfaces of this node and of a process's network namespace. Changes are made by ip(8).
 */
#ifndef SYSTEM_NETWORK_H
#define SYSTEM_NETWORK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct network_interface {
	char name[IFNAMSIZ];
	bool up;
	bool loopback;
	bool ethernet; /* has a MAC and answers ARP */
	int index;
	unsigned char mac[6];	/* zeros when not ethernet */
	struct words addresses; /* "10.0.0.5/24", "fe80::1/64" */
};

/* Valid at `{ 0 }`; owns its items. */
struct network_interfaces {
	struct network_interface *items;
	size_t count;
};

void network_release(struct network_interfaces *interfaces);

/* Those of the network namespace that this process is in. */
int network_read(struct network_interfaces *interfaces, struct error *err);

/*
 * Those of the network namespace of another process, at most a second's wait. Empty when that
 * process is in this one's namespace: they are the node's, not its own.
 */
int network_read_of(pid_t pid, struct network_interfaces *interfaces, struct error *err);

/* "00:16:3e:00:01:65" */
#define NETWORK_MAC_SIZE 18
void network_format_mac(const unsigned char mac[6], char text[NETWORK_MAC_SIZE]);

/* Moves this process into the network namespace of another; for children. */
int network_enter(pid_t pid, struct error *err);

bool network_link_exists(const char *name);

/* A Linux or Open vSwitch bridge. */
bool network_is_bridge(const char *name);

/* Bytes, or -1. */
int network_mtu(const char *name, struct error *err);

/*
 * Makes a veth pair, plugged in nowhere. The outer end is up and gets a MAC beginning with fe, as
 * lxc does it: a bridge without a MAC of its own takes the lowest of its ports, and a bridge whose
 * MAC changes stalls the node's connections.
 */
int network_make_pair(const char *outer, const char *inner, int mtu, struct error *err);

/* Plugs a link into a bridge and brings it up. */
int network_attach(const char *link, const char *bridge, struct error *err);

/* Brings a link up or takes it down. */
int network_raise(const char *link, bool up, struct error *err);

/* Nothing of that name is success. The other end of a pair goes with it. */
int network_delete(const char *link, struct error *err);

#endif
