/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LXC runtime: its row in the registry, and what its own files share. Nothing but src/runtime
 * includes this.
 */
#ifndef RUNTIME_LXC_H
#define RUNTIME_LXC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/container.h"
#include "runtime/lxc_config.h"
#include "runtime/runtime.h"

extern const struct runtime runtime_lxc;

/* How long lxc-info may take. It does not answer while a restore is held. */
#define LXC_INFO_TIMEOUT_MS 10000

/* Under any other name (runtime/fence.h) no lxc program finds it. */
#define LXC_CONFIG_NAME "config"

#define LXC_DEVICES_MAX 64

/* lxc.lxcpath; NULL on failure. The caller frees. */
char *lxc_home(struct error *err);

/* The configuration file of the container in this directory, fenced or not; NULL when there is
 * none. The caller frees. */
char *lxc_config_path(const char *directory);

/* Reads the container's configuration with all that it includes. */
int lxc_config_of(const struct container *container, struct lxc_config *config, struct error *err);

/* Waits, at most timeout_ms, for an answer of lxc-info that is no passing state. */
int lxc_state(const char *id, const char *directory, int timeout_ms, enum container_state *state,
	      pid_t *init_pid, struct error *err);

/* Waits, at most timeout_ms, until the container is stopped, or until it is not. */
int lxc_wait_stopped(const struct container *container, bool stopped, int timeout_ms,
		     struct error *err);

/* The name inside the container of network device lxc.net.NUMBER; *order (0 at the first) counts the
 * devices that take a number from the kernel. The caller frees. */
char *lxc_device_name(const struct lxc_config *config, unsigned int number, unsigned int *order);

/* Adds "--rcfile FILE" where the container is fenced: lxc would say that it does not exist. */
void lxc_add_rcfile(struct words *argv, const char *directory);

/* The rows of the table. */
int lxc_usable(bool online, struct error *err);
int lxc_describe(const char *id, struct container *container, struct error *err);
int lxc_start(const struct container *container, struct error *err);
int lxc_rewrite(const struct container *from, const struct container *to, const char *in,
		struct error *err);
int lxc_checkpointable(const struct container *container, struct error *err);
int lxc_dump_command(const struct checkpoint *checkpoint, struct command *command,
		     struct error *err);
int lxc_restore_command(const struct checkpoint *checkpoint, struct command *command,
			struct error *err);
int lxc_plan_network(const struct checkpoint *checkpoint, struct network_plan *plan,
		     struct error *err);
int lxc_make_network(const struct checkpoint *checkpoint, struct error *err);
int lxc_plug_network(const struct checkpoint *checkpoint, struct error *err);
int lxc_unplug_network(const struct container *container, struct error *err);
int lxc_may_map(const struct id_range *range, struct error *err);
int lxc_set_limits(const struct checkpoint *checkpoint, struct error *err);

/* A veth pair that must be there before the restore. */
struct lxc_pair {
	unsigned int number; /* lxc.net.NUMBER */
	char *name;	     /* inside the container */
	char *outer;
	char *inner; /* the inner end's name until criu moves it into the container */
	char *bridge;
	char *mtu;	 /* as configured, or NULL */
	bool configured; /* the configuration names the outer end */
};

struct lxc_pairs {
	struct lxc_pair items[LXC_DEVICES_MAX];
	size_t count;
};

/* Those of the container's configuration on this node; the same whenever they are asked for. */
int lxc_read_pairs(const struct checkpoint *checkpoint, struct lxc_pairs *pairs, struct error *err);
void lxc_pairs_release(struct lxc_pairs *pairs);

/* A number of this migration's own, the same whenever it is asked for. */
uint32_t lxc_migration_number(const struct checkpoint *checkpoint);

/* Into which cgroup a container is restored where there is nothing but v2. Paths are as in /proc/PID/cgroup. */
struct lxc_cgroup {
	char *path;	 /* the container's own */
	char *limited;	 /* the one that has its limits: the same, or one above it */
	char *container; /* lxc.cgroup.dir.container for it, or NULL: the configuration has its own */
	char *monitor;	 /* lxc.cgroup.dir.monitor */
};
int lxc_cgroup_plan(const struct checkpoint *checkpoint, struct lxc_cgroup *cgroup,
		    struct error *err);
void lxc_cgroup_release(struct lxc_cgroup *cgroup);

/* The targets of what the configuration binds into the container, as they are written there. */
void lxc_list_binds(const struct lxc_config *config, struct words *targets);

/* Parts of the description: network devices as configured (and, with init_pid, live), and the
 * mounts and files from outside the container. */
int lxc_describe_devices(const struct lxc_config *config, struct container *container,
			 struct error *err);
int lxc_describe_mounts(const struct lxc_config *config, struct container *container,
			struct error *err);

#endif
