/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LXC's configuration files as lxc >= 3 reads them: "key = value" lines, comments, blank values that
 * take back what was said before, included files and directories.
 */
#ifndef RUNTIME_LXC_CONFIG_H
#define RUNTIME_LXC_CONFIG_H

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* Bounds for a file that may be anything: lxc's own files have less than 100 lines. */
#define LXC_CONFIG_SIZE_MAX (1 << 20)
#define LXC_CONFIG_DEPTH_MAX 16
#define LXC_CONFIG_ITEMS_MAX 10000

struct lxc_config_item {
	char *key;
	char *value; /* never blank, quotes around it taken off */
	char *file;  /* where it was said */
};

/* Valid at `{ 0 }`; owns what it points to. */
struct lxc_config {
	struct lxc_config_item *items;
	size_t count;
	struct words files; /* every file that was read, the first one first */
};

/* Reads the file and what it includes. On failure *config is empty. */
int lxc_config_read(struct lxc_config *config, const char *path, struct error *err);
void lxc_config_release(struct lxc_config *config);

/* The files that an include of the directory `path` means, in the order in which they are read. */
int lxc_config_directory(const char *path, struct words *files, struct error *err);

/* The value that counts for a key with one value (the last), or NULL. Borrowed. */
const char *lxc_config_get(const struct lxc_config *config, const char *key);

/* Every value of a key, in order. */
void lxc_config_list(const struct lxc_config *config, const char *key, struct words *values);

/* The numbers N for which there is a "lxc.net.N.", ascending; returns how many (at most `most`). */
size_t lxc_config_networks(const struct lxc_config *config, unsigned int *numbers, size_t most);

/* The value of "lxc.net.NUMBER.NAME", or NULL. Borrowed. */
const char *lxc_config_network(const struct lxc_config *config, unsigned int number,
			       const char *name);

/* A container that moves: its id and its directories before and after. */
struct lxc_move {
	const char *from_id;
	const char *to_id;
	const char *from_directory;
	const char *to_directory;
	const char *from_private_area;
	const char *to_private_area;
};

/*
 * The text of a configuration file for the new place: lxc.rootfs.path becomes the new private area
 * ("dir:" stays), values that are or begin with an old directory begin with the new one, the host name
 * and the names of devices of the node that name the old id name the new one, and every other byte
 * stays.
 */
void lxc_config_rewrite(const char *from, const struct lxc_move *move, struct text *to);

/* The same for a file of fstab lines. */
void lxc_config_rewrite_mounts(const char *from, const struct lxc_move *move, struct text *to);

#endif
