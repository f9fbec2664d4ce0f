/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The OCI runtimes: their rows in the registry, and what their own files share. Nothing but src/runtime
 * includes this.
 *
 * runc and crun are one back end: they do the same, in nearly the same words. Each knows a container by its
 * id while that exists; a container that was deleted is only its bundle, which is the third runtime: its
 * containers are always stopped, and their ids are the bundles' paths.
 */
#ifndef RUNTIME_OCI_H
#define RUNTIME_OCI_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "runtime/container.h"
#include "runtime/oci_config.h"
#include "runtime/runtime.h"

extern const struct runtime runtime_runc;
extern const struct runtime runtime_crun;
extern const struct runtime runtime_bundle;

#define OCI_FAMILY "oci"
#define OCI_CONFIG_NAME "config.json"

/* How long the program may take for an answer about a container. */
#define OCI_ANSWER_TIMEOUT_MS 10000

/* What tells the programs apart. */
struct oci_program {
	const char *name;   /* of the program and of the runtime */
	const char *root;   /* below it, it keeps what it knows of each container: root/ID */
	const char *record; /* the file in there without which it does not know the container */
	const char
		*dump_mark;   /* the file in there that it leaves when a dump is refused, or NULL */
	bool empties_network; /* a network namespace without a name comes back with nothing in it */
	bool beside_itself; /* with cgroup v2 the container's cgroup is beside the program's own, where
			       config.json names none */
	bool says_lazy; /* it tells criu itself whether memory is left out, and has an option for that */
	bool binds_devices; /* in a user namespace the device files are mounts from the node, of
			       which it does not tell criu */
};

extern const struct oci_program oci_runc;
extern const struct oci_program oci_crun;

/* The program of a container's runtime; NULL for a bundle's. */
const struct oci_program *oci_program_of(const struct container *container);

/* What the program says of a container. */
struct oci_state {
	bool known;
	enum container_state state;
	pid_t init_pid; /* 0 when stopped */
	char *bundle;
};
void oci_state_release(struct oci_state *state);

/* -1 when it does not answer, or when it is no state to do anything in ("created", not started yet). */
int oci_state_read(const struct oci_program *program, const char *id, struct oci_state *state,
		   struct error *err);

/* Runs "PROGRAM [--systemd-cgroup] WORD… ID". */
int oci_run(const struct oci_program *program, const char *const *words, const char *id,
	    struct error *err);

/* Adds the global option without which the program would take a systemd cgroup for a path. */
void oci_add_cgroup_option(struct words *argv, const struct oci_config *config);

/* The ids that a program knows. */
int oci_list_of(const struct oci_program *program, struct words *ids, struct error *err);

/* The configuration of the bundle in this directory, fenced or not. */
int oci_config_of(const char *directory, struct oci_config *config, struct error *err);

/* Everything that the bundle tells, and, with container->init_pid, what is live. Id, runtime, state,
 * pid and directory are there already. */
int oci_describe_bundle(struct container *container, struct error *err);

/* The cgroup, as a path below every hierarchy's mount, that the container's processes are in; NULL when its
 * name follows from something else. The caller frees. */
char *oci_cgroup(const struct container *container);

/* The network of a container with a named namespace; without one they do nothing. */
int oci_make_network_of(const struct container *container, const char *work, struct error *err);
int oci_plug_network_of(const struct container *container, struct error *err);
int oci_hush_network(const struct container *container, struct error *err); /* takes links down */
int oci_check_network_use(const struct container *container, struct error *err);

/* Rows of the tables. */
int oci_usable(const struct oci_program *program, bool online, struct error *err);
char *oci_place(const struct container *from, const char *id, struct error *err);
int oci_movable(const struct container *container, struct error *err);
int oci_start(const struct container *container, struct error *err);
int oci_stop(const struct container *container, int grace_seconds, struct error *err);
int oci_rewrite(const struct container *from, const struct container *to, const char *in,
		struct error *err);
int oci_fence(const struct container *container, struct error *err);
int oci_unfence(const struct container *container, struct error *err);
int oci_checkpointable(const struct container *container, struct error *err);
int oci_dump_command(const struct checkpoint *checkpoint, struct command *command,
		     struct error *err);
int oci_restore_command(const struct checkpoint *checkpoint, struct command *command,
			struct error *err);
int oci_resumed(const struct container *container, struct error *err);
int oci_plan_network(const struct checkpoint *checkpoint, struct network_plan *plan,
		     struct error *err);
int oci_make_network(const struct checkpoint *checkpoint, struct error *err);
int oci_plug_network(const struct checkpoint *checkpoint, struct error *err);
int oci_unplug_network(const struct container *container, struct error *err);
int oci_settle(const struct container *container, int timeout_ms, struct error *err);

#endif
