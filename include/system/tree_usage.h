/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a tree of files takes, and what it takes from its file system beyond the ordinary.
 */
#ifndef SYSTEM_TREE_USAGE_H
#define SYSTEM_TREE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct tree_usage {
	int64_t bytes;	 /* as they are on the disk: holes are nothing, hard links count once */
	int64_t files;	 /* inodes */
	bool acls;	 /* some file has a POSIX ACL */
	bool attributes; /* some file has extended attributes of users or trusted ones */
	bool case_pairs; /* some directory has names that differ only in case */
};

/* Walks the tree in a child, following no link. What vanishes meanwhile is not counted. */
int tree_measure(const char *path, struct tree_usage *usage, struct error *err);

#endif
