// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for OCI containers that are only a bundle: no program knows them, nothing of them runs,
 * and their id is the bundle's path. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "runtime/fence.h"
#include "runtime/oci.h"

static const struct oci_program *const programs[] = { &oci_runc, &oci_crun };

static bool is_installed(const struct oci_program *program)
{
	CLEANUP(memory_release) char *path = process_find(program->name);

	return path != NULL;
}

/* The bundle is there to be run by one of them. */
static int bundle_usable(bool online, struct error *err)
{
	(void)online;
	for (size_t i = 0; i < COUNT_OF(programs); i++)
		if (is_installed(programs[i]))
			return 0;
	return error_exit(err, EXIT_RUNTIME, "neither 'runc' nor 'crun' is installed");
}

static bool is_of(const struct oci_program *program, const char *id, const char *directory)
{
	CLEANUP(oci_state_release) struct oci_state state = { 0 };
	CLEANUP(memory_release) char *bundle = NULL;
	struct error ignored;

	if (oci_state_read(program, id, &state, &ignored) < 0 || !state.known)
		return false;
	bundle = realpath(state.bundle, NULL);
	return bundle != NULL && strcmp(bundle, directory) == 0;
}

/* Is there a program that has a container of this bundle? */
static int check_unused(const char *directory, struct error *err)
{
	for (size_t i = 0; i < COUNT_OF(programs); i++) {
		CLEANUP(words_release) struct words ids = { 0 };

		if (!is_installed(programs[i]))
			continue;
		if (oci_list_of(programs[i], &ids, err) < 0)
			return -1;
		for (size_t k = 0; k < ids.count; k++)
			if (is_of(programs[i], ids.items[k], directory))
				return error_exit(
					err, EXIT_LOCKED,
					"the bundle '%s' is that of container '%s' of %s: "
					"migrate it by that id, or delete it",
					directory, ids.items[k], programs[i]->name);
	}
	return 0;
}

/* The path must be the directory's own, since it is also its place on the other node. */
static int check_directory(const char *id, struct error *err)
{
	CLEANUP(memory_release) char *resolved = realpath(id, NULL);

	if (resolved == NULL)
		return error_system(err, "cannot find the bundle '%s'", id);
	if (strcmp(resolved, id) != 0)
		return error_exit(err, EXIT_USAGE,
				  "'%s' leads through a symbolic link: name the bundle '%s'", id,
				  resolved);
	return check_unused(id, err);
}

static int bundle_describe(const char *id, struct container *container, struct error *err)
{
	CLEANUP(container_release) struct container found = { 0 };
	CLEANUP(memory_release) char *config = NULL;

	if (container_check_id(id, err) < 0)
		return -1;
	if (id[0] != '/')
		return 0;
	config = memory_format("%s/" OCI_CONFIG_NAME, id);
	if (!file_exists(config))
		return 0;
	if (check_directory(id, err) < 0)
		return -1;
	found.id = memory_duplicate(id);
	found.runtime = memory_duplicate(runtime_bundle.name);
	found.directory = memory_duplicate(id);
	found.state = CONTAINER_STOPPED;
	if (oci_describe_bundle(&found, err) < 0)
		return -1;
	*container = found;
	found = (struct container){ 0 };
	return 1;
}

static int bundle_movable(const struct container *container, struct error *err)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };

	if (oci_config_of(container->directory, &config, err) < 0)
		return -1;
	if (config.network == OCI_NETWORK_NAMED)
		log_warning("the network namespace '%s' of bundle '%s' does not move: make it "
			    "before you start the container there",
			    config.network_path, container->id);
	return 0;
}

/* Bundles are wherever somebody put them: only their programs could tell. */
static int bundle_list(struct words *ids, struct error *err)
{
	(void)ids;
	(void)err;
	return 0;
}

static int bundle_start(const struct container *container, struct error *err)
{
	return error_exit(err, EXIT_VE_START, "bundle '%s' has no id to be started under",
			  container->id);
}

/* It is stopped, unless somebody has started it meanwhile. */
static int bundle_stop(const struct container *container, int grace_seconds, struct error *err)
{
	(void)grace_seconds;
	return check_unused(container->directory, err);
}

static int bundle_settle(const struct container *container, int timeout_ms, struct error *err)
{
	(void)timeout_ms;
	return check_unused(container->directory, err);
}

static int bundle_checkpointable(const struct container *container, struct error *err)
{
	return error_exit(err, EXIT_VE_STOPPED, "bundle '%s' has no processes", container->id);
}

static int refuse_command(const struct checkpoint *checkpoint, struct command *command,
			  struct error *err)
{
	(void)command;
	return bundle_checkpointable(checkpoint->container, err);
}

/* Nothing that is stopped has a network. */
static int bundle_plan_network(const struct checkpoint *checkpoint, struct network_plan *plan,
			       struct error *err)
{
	(void)checkpoint;
	(void)plan;
	(void)err;
	return 0;
}

static int no_network(const struct checkpoint *checkpoint, struct error *err)
{
	(void)checkpoint;
	(void)err;
	return 0;
}

static int bundle_unplug_network(const struct container *container, struct error *err)
{
	(void)container;
	(void)err;
	return 0;
}

const struct runtime runtime_bundle = {
	.name = "bundle",
	.family = OCI_FAMILY,
	.usable = bundle_usable,
	.place = oci_place,
	.describe = bundle_describe,
	.list = bundle_list,
	.movable = bundle_movable,
	.start = bundle_start,
	.stop = bundle_stop,
	.rewrite = oci_rewrite,
	.fence = oci_fence,
	.unfence = oci_unfence,
	.checkpointable = bundle_checkpointable,
	.dump_command = refuse_command,
	.restore_command = refuse_command,
	.plan_network = bundle_plan_network,
	.make_network = no_network,
	.plug_network = no_network,
	.unplug_network = bundle_unplug_network,
	.settle = bundle_settle,
};
