/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A runtime is what runs containers on a node. This is all that the rest of the program knows of
 * one; a new runtime is one file group and one row in the registry (src/runtime/runtime.c).
 *
 * Functions act on this node, wait only through base/wait, and word their failures with the
 * container's id. `struct container` arguments are borrowed.
 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "runtime/container.h"

/* Deleted files that are still open travel in the images, while the container is frozen: larger ones
 * (in MiB) are named before and not moved live. */
#define CHECKPOINT_GHOST_MIB 64

/* What a checkpoint or a restore needs to know; all paths absolute on this node. */
struct checkpoint {
	const struct container *container;
	const char *images; /* directory of criu's images; dump.log and restore.log go there too */
	const char *work;   /* directory for temporary files of this migration (rcfile, criu.conf);
				  not readable by others; lives until the migration is over */
	const char *hook;   /* program for criu's action scripts */
	const char
		*criu; /* dump: what is to be executed as criu, the same as on the command's PATH */
	bool nftables; /* the dump locks the network through nftables; else iptables */
	bool plug_later;   /* restored, it stays off the network until plug_network(): a container
				  that is only held must not answer for its addresses */
	bool memory_apart; /* private memory is not in the images: the dump leaves it out, the restore
				  gets it from whoever listens on `work`/lazy-pages.socket */
};

/* In the environment of a restore command: the network namespace is restored empty, so criu's hook brings
 * its loopback device up before any socket is restored. */
#define RUNTIME_LOOPBACK "VZMIGRATE_LOOPBACK"

/* A command to be started: free with command_release(). */
struct command {
	struct words argv;
	struct words environment; /* NAME=value */
};
void command_release(struct command *command);

/* What is made for a container's network on a node: free with network_plan_release(). */
struct network_plan {
	struct words links;	 /* names of devices */
	struct words namespaces; /* paths of network namespaces */
};
void network_plan_release(struct network_plan *plan);

struct runtime {
	const char *name;
	const char *family; /* a name that it shares with others of its kind, or NULL */

	/* Are its programs there and usable? With `online` also criu (version, `criu check`'s basic
	 * verdict, iptables or nft for the network lock). EXIT_RUNTIME with a sentence. */
	int (*usable)(bool online, struct error *err);

	/* It knows a container only while that runs: what is stopped is a directory and nothing else.
	 * So runtime_find() finds no stopped one, and says how its directory is named instead. */
	bool running_only;

	/* The directory in which a container like `from`, of another node, would live on this one
	 * under `id`. Whether it is free there is for others to ask, but for what only the runtime knows
	 * of: EXIT_EXISTS. The caller frees. */
	char *(*place)(const struct container *from, const char *id, struct error *err);

	/* Fills *container, also of one that is fenced. Returns 1; 0 when the runtime knows no such container; -1 when it could
	 * not be found out or cannot be migrated (rootfs that is no directory, broken configuration,
	 * with the reason). State is by the runtime's word, with a time limit of 10 s. */
	int (*describe)(const char *id, struct container *container, struct error *err);

	/* All ids known on this node (for the address check). */
	int (*list)(struct words *ids, struct error *err);

	/* Optional. Can it be moved at all, as it was described on the source? For runtime_find().
	 * EXIT_TECHNOLOGIES with the remedy. */
	int (*movable)(const struct container *container, struct error *err);

	/* What is in its place may be started by the node itself, at boot: before the commit it lies
	 * there fenced. Restores work on what is fenced. */
	bool autostarts;

	/* Starts it in the background; returns when it runs (EXIT_VE_START otherwise). */
	int (*start)(const struct container *container, struct error *err);

	/* Clean shutdown, at most grace_seconds, then by force (EXIT_VE_STOP otherwise). */
	int (*stop)(const struct container *container, int grace_seconds, struct error *err);

	/* The configuration in directory `in` (a copy of the source's `from->directory`) rewritten
	 * for container `to` on this node: new rootfs path, paths below the old directory, id. */
	int (*rewrite)(const struct container *from, const struct container *to, const char *in,
		       struct error *err);

	/* Makes the container impossible to start by hand or at boot, and takes that back. Both are
	 * idempotent; unfence of what was never fenced succeeds. */
	int (*fence)(const struct container *container, struct error *err);
	int (*unfence)(const struct container *container, struct error *err);

	/* Can criu dump the container as it is configured? For the check on the source, before
	 * anything is touched. EXIT_TECHNOLOGIES with the remedy. */
	int (*checkpointable)(const struct container *container, struct error *err);

	/* The commands by which criu dumps the container and stops it / restores it on this node.
	 * They write whatever files they need into checkpoint->work. Both execute the `criu` that is first on
	 * PATH (node/gate.h). The restore's does so after all that it does before the restore, and looks at no
	 * image until then, but for what the dump's has written before it did so. */
	int (*dump_command)(const struct checkpoint *checkpoint, struct command *command,
			    struct error *err);
	int (*restore_command)(const struct checkpoint *checkpoint, struct command *command,
			       struct error *err);

	/* Memory can be left out of a dump only where the kernel could also fill it in. */
	bool dump_wants_userfault;

	/* Optional. A dump was refused and the container runs on: takes back what its program has noted
	 * of the dump. */
	int (*resumed)(const struct container *container, struct error *err);

	/* Network devices that must exist before the restore. The plan gets the names of what will
	 * be made, before it is made (so that it can be journaled): plan first, then make. Both take
	 * the same checkpoint. */
	int (*plan_network)(const struct checkpoint *checkpoint, struct network_plan *plan,
			    struct error *err);
	int (*make_network)(const struct checkpoint *checkpoint, struct error *err);

	/* Optional. After a restore, before anything of the container runs: the limits that its configuration sets, as a
	 * start would have set them, where neither criu nor the runtime does so at a restore. */
	int (*set_limits)(const struct checkpoint *checkpoint, struct error *err);

	/* Plugs the devices into their bridges, after a restore with plug_later. */
	int (*plug_network)(const struct checkpoint *checkpoint, struct error *err);

	/* Removes the devices of a container from the node, which runs here, is frozen, or is gone to
	 * another node: from then on nothing of it answers here, although the kernel takes its time to
	 * remove the rest. None left is success. */
	int (*unplug_network)(const struct container *container, struct error *err);

	/* May this node's containers of the runtime have the range? EXIT_TECHNOLOGIES with the remedy.
	 * NULL: any range will do. */
	int (*may_map)(const struct id_range *range, struct error *err);

	/* What is left of a container whose processes were killed by criu, or whose restore was
	 * refused: waits until the runtime calls it stopped, at most timeout_ms; then nothing of it
	 * runs. */
	int (*settle)(const struct container *container, int timeout_ms, struct error *err);
};

/* For `usable`: is the program on PATH? EXIT_RUNTIME names it when it is not. */
int runtime_find_program(const char *program, struct error *err);

/*
 * Has what describe() was asked for come to its end? A runtime that knows only running containers forgets
 * those that ended; for any other, one that it does not know is none that could be started.
 */
bool runtime_has_ended(const struct runtime *runtime, const struct container *now);

/* The registry, NULL-terminated. */
extern const struct runtime *const runtimes[];

/* By name; NULL when there is none. */
const struct runtime *runtime_by_name(const char *name);

/* The same name, as a constant, when it is that of a runtime or of a family; else NULL. */
const char *runtime_known_name(const char *name);

/*
 * Which runtime owns the id on this node (only those of that `name` or family are asked when it is not
 * NULL)? Fills
 * *container and returns its runtime; NULL with EXIT_NOTEXIST when none does, EXIT_USAGE when two
 * do.
 */
const struct runtime *runtime_find(const char *id, const char *name, struct container *container,
				   struct error *err);

#endif
