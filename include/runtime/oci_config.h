/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.json of an OCI bundle, as far as a migration has to understand it. What is not understood moves
 * as it is.
 */
#ifndef RUNTIME_OCI_CONFIG_H
#define RUNTIME_OCI_CONFIG_H

#include <stdbool.h>

#include <json-c/json.h>

#include "base/error.h"
#include "base/text.h"
#include "runtime/container.h"

/* What a real one has is some tens of KiB. */
#define OCI_CONFIG_SIZE_MAX (4 << 20)

enum oci_network {
	OCI_NETWORK_NODE,    /* the node's own: no namespace */
	OCI_NETWORK_PRIVATE, /* a namespace made with the container */
	OCI_NETWORK_NAMED,   /* one that was there before: network_path */
};

/* Valid at `{ 0 }`; owns everything. */
struct oci_config {
	json_object *root;  /* the whole file */
	char *rootfs;	    /* root.path as written: absolute, or below the bundle */
	char *hostname;	    /* or NULL */
	char *cgroups_path; /* linux.cgroupsPath, or NULL */
	bool terminal;	    /* process.terminal */
	bool own_pids;	    /* it has a pid namespace made with it */
	bool own_users;	    /* it has a user namespace */
	char *joined; /* a namespace other than "network" that belongs to something else, or NULL */
	enum oci_network network;
	char *network_path;
	struct id_range *ranges;
	size_t range_count;
	struct words binds; /* sources of bind mounts, as written */
	struct words
		devices;    /* sources of mounts of file systems that are on a device of the node */
	struct words nodes; /* device files that are made in it: linux.devices */
	struct words files; /* programs of hooks */
};

void oci_config_release(struct oci_config *config);

/* `text` is the whole file; everything in it may be wrong. */
int oci_config_parse(struct oci_config *config, const char *text, size_t length, struct error *err);

int oci_config_read(struct oci_config *config, const char *path, struct error *err);

/*
 * The paths in it that are `from` or below it are moved to `to`: root.path and the sources of mounts.
 * Returns 1 when anything was changed, else 0.
 */
int oci_config_move(struct oci_config *config, const char *from, const char *to);

/* Sets a text of the file: of its member `part`, or, with NULL, of the whole. Returns 1. */
int oci_config_set(struct oci_config *config, const char *part, const char *name, const char *text);

#endif
