// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the rows of runc and crun in the registry: which program is asked. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/fence.h"
#include "runtime/oci.h"
#include "system/cgroup.h"

int oci_fence(const struct container *container, struct error *err)
{
	return fence_raise(container->directory, OCI_CONFIG_NAME, err);
}

int oci_unfence(const struct container *container, struct error *err)
{
	return fence_lower(container->directory, OCI_CONFIG_NAME, err);
}

/* What the program that is called puts relative paths below: "" or a path. The caller frees. */
static char *cgroup_parent(const struct container *container)
{
	const struct oci_program *program = oci_program_of(container);
	CLEANUP(memory_release) char *own = NULL;
	struct error ignored;
	char *parent;

	if (program == NULL || !program->beside_itself || !cgroup_is_unified())
		return memory_duplicate("");
	own = cgroup_of(getpid(), &ignored);
	if (own == NULL)
		return memory_duplicate("");
	parent = file_parent(own);
	if (strcmp(parent, "/") == 0)
		*parent = '\0';
	return parent;
}

/* Without a path in config.json both programs name the cgroup after the container. */
char *oci_cgroup(const struct container *container)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	CLEANUP(memory_release) char *parent = NULL;
	struct error ignored;

	if (oci_config_of(container->directory, &config, &ignored) < 0)
		return NULL;
	if (config.cgroups_path == NULL) {
		parent = cgroup_parent(container);
		return memory_format("%s/%s", parent, container->id);
	}
	return file_path_is_plain(config.cgroups_path) ? memory_duplicate(config.cgroups_path)
						       : NULL;
}

/* A directory where a container of that id would be: the program would refuse to make one. */
static int refuse_remnant(const struct oci_program *program, const char *id, struct error *err)
{
	CLEANUP(memory_release) char *root = memory_format("%s/%s", program->root, id);

	if (!file_exists(root))
		return 0;
	return error_set(err,
			 "%s has something left of a container '%s' that it does not know any "
			 "more: look what it is, and remove '%s'",
			 program->name, id, root);
}

static int describe(const struct oci_program *program, const char *id, struct container *container,
		    struct error *err)
{
	CLEANUP(oci_state_release) struct oci_state state = { 0 };
	CLEANUP(container_release) struct container found = { 0 };

	if (container_check_id(id, err) < 0)
		return -1;
	if (id[0] == '/')
		return 0;
	if (oci_state_read(program, id, &state, err) < 0)
		return -1;
	if (!state.known)
		return refuse_remnant(program, id, err);
	found.directory = realpath(state.bundle, NULL);
	if (found.directory == NULL)
		return error_system(err, "cannot find the bundle '%s' of container '%s'",
				    state.bundle, id);
	if (!file_path_is_plain(found.directory))
		return error_set(err,
				 "the bundle '%s' of container '%s' is no directory of its own",
				 found.directory, id);
	found.id = memory_duplicate(id);
	found.runtime = memory_duplicate(program->name);
	found.state = state.state;
	found.init_pid = state.init_pid;
	if (oci_describe_bundle(&found, err) < 0)
		return -1;
	*container = found;
	found = (struct container){ 0 };
	return 1;
}

static int runc_usable(bool online, struct error *err)
{
	return oci_usable(&oci_runc, online, err);
}

static int crun_usable(bool online, struct error *err)
{
	return oci_usable(&oci_crun, online, err);
}

static int runc_describe(const char *id, struct container *container, struct error *err)
{
	return describe(&oci_runc, id, container, err);
}

static int crun_describe(const char *id, struct container *container, struct error *err)
{
	return describe(&oci_crun, id, container, err);
}

static int runc_list(struct words *ids, struct error *err)
{
	return oci_list_of(&oci_runc, ids, err);
}

static int crun_list(struct words *ids, struct error *err)
{
	return oci_list_of(&oci_crun, ids, err);
}

/* The functions that tell the program from the container. */
#define OCI_FUNCTIONS                                                                              \
	.family = OCI_FAMILY, .running_only = true, .place = oci_place, .movable = oci_movable,    \
	.start = oci_start, .stop = oci_stop, .rewrite = oci_rewrite, .fence = oci_fence,          \
	.unfence = oci_unfence, .checkpointable = oci_checkpointable,                              \
	.dump_command = oci_dump_command, .restore_command = oci_restore_command,                  \
	.resumed = oci_resumed, .plan_network = oci_plan_network,                                  \
	.make_network = oci_make_network, .plug_network = oci_plug_network,                        \
	.unplug_network = oci_unplug_network, .settle = oci_settle

const struct runtime runtime_runc = {
	.name = "runc",
	.usable = runc_usable,
	.describe = runc_describe,
	.list = runc_list,
	/* It asks criu before the dump whether that can restore lazily. */
	.dump_wants_userfault = true,
	OCI_FUNCTIONS,
};

const struct runtime runtime_crun = {
	.name = "crun",
	.usable = crun_usable,
	.describe = crun_describe,
	.list = crun_list,
	OCI_FUNCTIONS,
};
