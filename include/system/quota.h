/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limit of a directory tree: a btrfs subvolume's qgroup, or a project of ext4 or XFS.
 */
#ifndef SYSTEM_QUOTA_H
#define SYSTEM_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* 0: no limit of that kind. */
struct quota {
	int64_t bytes;	    /* hard */
	int64_t bytes_soft; /* 0 on btrfs */
	int64_t files;
	int64_t files_soft;
};

bool quota_is_set(const struct quota *quota);

/* The limit of the tree at path, of its own and enforced; none is no failure. */
int quota_read(const char *path, struct quota *quota, struct error *err);

/* Can a directory made below this (existing) one have the limit? EXIT_QUOTA with the remedy. */
int quota_possible(const char *parent, const struct quota *quota, struct error *err);

/*
 * Makes the directory, with the limit: on btrfs a subvolume, elsewhere a project of its own that what
 * is made in it inherits. One that an earlier call made gets the limit again. EXIT_QUOTA.
 */
int quota_make(const char *path, const struct quota *quota, struct error *err);

/* Removes the tree at path, and then its limit where that is of no use to others: a subvolume's, or that
 * of a project which quota_make() chose. Nothing there is success. */
int quota_remove(const char *path, struct error *err);

/* The two kinds; src/system/quota.c knows which a directory is of. */
int quota_read_subvolume(const char *path, struct quota *quota, struct error *err);
int quota_possible_subvolume(const char *parent, const struct quota *quota, struct error *err);
int quota_make_subvolume(const char *path, const struct quota *quota, struct error *err);
uint64_t quota_subvolume_id(const char *path); /* 0: it is none */
void quota_forget_subvolume(const char *parent, uint64_t id);

int quota_read_project(const char *path, struct quota *quota, struct error *err);
int quota_possible_project(const char *parent, struct error *err);
int quota_make_project(const char *path, const struct quota *quota, struct error *err);
uint64_t quota_project_id(
	const char *path); /* 0: it is of none, or of the one that its parent gives to all */
void quota_forget_project(const char *parent, uint64_t id);

#endif
