/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container as a runtime describes it: a plain value, the same on both nodes, and the form in
 * which it crosses the wire. Valid at `{ 0 }`; owns its strings.
 */
#ifndef RUNTIME_CONTAINER_H
#define RUNTIME_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <json-c/json.h>

#include "base/error.h"
#include "base/text.h"

enum container_state {
	CONTAINER_STOPPED,
	CONTAINER_RUNNING,
	CONTAINER_FROZEN,
};

/* A range of an id map: ids inside .. inside + count - 1 are outside .. on the node. */
struct id_range {
	bool group; /* of group ids; else of user ids */
	uint32_t inside;
	uint32_t outside;
	uint32_t count;
};

struct network_device {
	char *type;		/* the runtime's word: "veth", "none", "empty", "macvlan"… */
	char *name;		/* inside the container: "eth0" */
	char *bridge;		/* what it is plugged into on the node, or NULL */
	char *host_name;	/* the node's end of the pair as configured, or NULL: any */
	char *mac;		/* "00:16:3e:00:01:65", or NULL */
	int mtu;		/* live; 0: not known */
	struct words addresses; /* "10.0.0.5/24", "fd00::5/64": configured and, running, live */
};

/* Ids are at most this long, of [A-Za-z0-9_.+-] and do not begin with a dot or a minus sign. What has no id
 * but a directory is named by that: a plain absolute path. */
#define CONTAINER_ID_MAX 64
#define CONTAINER_PATH_MAX 1024

struct container {
	char *id;
	char *runtime; /* "lxc" */
	enum container_state state;
	bool fenced; /* on this node it cannot be started, by hand or at boot; not on the wire */
	char *hostname;
	char *directory; /* absolute: where its configuration lives: /var/lib/lxc/101 */
	char *root; /* absolute: where that is mounted while it runs; NULL: the runtime's choice */
	char *private_area; /* absolute, symbolic links resolved: the root file system's directory */
	pid_t init_pid;	    /* on its node; 0 when stopped */
	struct id_range *ranges; /* empty: privileged, ids inside are the node's */
	size_t range_count;
	struct network_device *devices;
	size_t device_count;
	char *network_namespace; /* the path by which its network namespace is known on the node and
				    moves with it; NULL: it has none but its own or the node's */
	struct words routes;	 /* of that namespace: "inet default via 10.0.0.1 dev eth0" */
	struct words includes; /* absolute files outside `directory` that the configuration needs */
	struct words mount_sources; /* absolute paths outside the private area bound into it */
};

void container_release(struct container *container);
void container_copy(struct container *to, const struct container *from);

/* Is this text an id at all? EXIT_USAGE with the reason when not. */
int container_check_id(const char *id, struct error *err);

/*
 * The text with the id replaced by the new one wherever it stands by itself: "101" in "ct101.lan" and
 * "veth101.0", but not in "1012". The caller frees.
 */
char *container_rename(const char *text, const char *id, const char *new_id);

/*
 * The id as part of a file name: itself, and for a path a word made of its last component and a number
 * that is the path's own. It is an id too, and its own key. The caller frees.
 */
char *container_key(const char *id);

/* The node's user or group id of the container's root; 0 for a privileged container. */
uid_t container_root_uid(const struct container *container);
gid_t container_root_gid(const struct container *container);

const char *container_state_name(enum container_state state); /* "stopped", "running", "frozen" */

/* The caller owns the object. */
json_object *container_to_json(const struct container *container);

/* Checks every field's presence, type and length: the text comes from the peer. */
int container_from_json(struct container *container, json_object *object, struct error *err);

#endif
