/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the source's checks find out about the container and its node for the destination's to judge.
 * A field that nobody filled says nothing, and is not judged.
 */
#ifndef NODE_FACTS_H
#define NODE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/error.h"
#include "base/text.h"
#include "node/staging.h"
#include "system/quota.h"

struct facts {
	int64_t bytes
		[AREAS_MAX]; /* on the disk, of its directory without the private area; of that */
	int64_t files[AREAS_MAX];
	bool measured; /* these five are known; not on the wire */
	bool acls;     /* the files need a file system that has them */
	bool attributes;
	bool case_pairs;
	int64_t memory;		  /* bytes that a checkpoint's images will have */
	int64_t clock_ms;	  /* the node's time of day */
	int criu;		  /* criu_version() */
	char *machine;		  /* uname(2): "x86_64" */
	struct text cpu;	  /* criu_dump_cpu() */
	char *cgroups;		  /* "v1", "v2" or "hybrid" */
	struct words hierarchies; /* v1's: "memory", "name=systemd"; v2's controllers */
	char *confinement;	  /* the security module that confines it: "apparmor", or NULL */
	struct words mtus;	  /* of the bridge of each network device; "0": it has none */
	struct words
		mounts; /* of each of its mount_sources: "directory", "file" or "device C:8:0" */
	struct quota quota;
	char *origin; /* what tells this container from any other of its name */
};

void facts_release(struct facts *facts);
json_object *facts_to_json(const struct facts *facts);
int facts_from_json(struct facts *facts, json_object *object, struct error *err);

/* "quota", a list of numbers, as a part of it. */
json_object *quota_to_json(const struct quota *quota);
int quota_from_json(json_object *object, struct quota *quota, struct error *err);

/* What a path is, as `mounts` has it: "missing" when nothing is there. The caller frees. */
char *facts_kind_of(const char *path);

#endif
