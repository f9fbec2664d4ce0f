// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for whether an OCI container can move, for dumping it and for restoring it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/criu_options.h"
#include "runtime/oci.h"
#include "system/cgroup.h"
#include "system/netns.h"

/* The device files that the specification puts into every container. */
static const char *const default_devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};

static int refuse_device(const struct container *container, const struct network_device *device,
			 struct error *err)
{
	return error_exit(err, EXIT_TECHNOLOGIES,
			  "container '%s' has a network device '%s' of the kind '%s' in '%s'; only "
			  "veth pairs with their other end on this node can be migrated",
			  container->id, device->name, device->type, container->network_namespace);
}

static int check_network(const struct oci_config *config, const struct container *container,
			 struct error *err)
{
	if (config->network == OCI_NETWORK_NAMED && container->network_namespace == NULL)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' uses the network namespace '%s', which another "
				  "node cannot have; only one of /run/netns can be migrated",
				  container->id, config->network_path);
	if (config->network != OCI_NETWORK_NAMED)
		return 0;
	for (size_t i = 0; i < container->device_count; i++)
		if (strcmp(container->devices[i].type, "veth") != 0 ||
		    container->devices[i].host_name == NULL)
			return refuse_device(container, &container->devices[i], err);
	return oci_check_network_use(container, err);
}

int oci_movable(const struct container *container, struct error *err)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };

	if (oci_config_of(container->directory, &config, err) < 0)
		return -1;
	if (config.terminal)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' has a terminal of this node (process.terminal); "
				  "set 'terminal' to false in its " OCI_CONFIG_NAME
				  " and start it anew",
				  container->id);
	if (config.joined != NULL)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' shares the %s namespace of something else, which "
				  "does not move with it",
				  container->id, config.joined);
	return check_network(&config, container, err);
}

int oci_checkpointable(const struct container *container, struct error *err)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };

	if (oci_config_of(container->directory, &config, err) < 0)
		return -1;
	if (config.network == OCI_NETWORK_NODE)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' shares the network of its node and cannot be "
				  "migrated live; migrate it without --online",
				  container->id);
	if (config.network == OCI_NETWORK_PRIVATE && container->device_count > 0)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "network device '%s' was put into container '%s' from outside; "
				  "live it is moved only where " OCI_CONFIG_NAME
				  " names its network namespace, so migrate it without --online",
				  container->devices[0].name, container->id);
	if (config.network == OCI_NETWORK_NAMED && config.own_users)
		return error_exit(
			err, EXIT_TECHNOLOGIES,
			"container '%s' has a user namespace, and a network namespace '%s' "
			"that is not of it, which criu cannot dump; migrate it without "
			"--online",
			container->id, config.network_path);
	if (!config.own_pids)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' has no pid namespace of its own, so its "
				  "processes' numbers may be taken on another node; migrate it "
				  "without --online",
				  container->id);
	return 0;
}

/* The mounts of which the program does not tell criu are named alike at the dump and at the restore. */
static void add_devices(const struct oci_program *program, const struct oci_config *config,
			struct text *options)
{
	if (!program->binds_devices || !config->own_users)
		return;
	for (size_t i = 0; i < COUNT_OF(default_devices); i++)
		text_format(options, "external mnt[%s]:%s\n", default_devices[i],
			    default_devices[i]);
	for (size_t i = 0; i < config->nodes.count; i++)
		text_format(options, "external mnt[%s]:%s\n", config->nodes.items[i],
			    config->nodes.items[i]);
}

static int write_options(const struct checkpoint *checkpoint, const struct oci_config *config,
			 struct text *options, struct command *command, struct error *err)
{
	text_format(options, "file-locks\nlink-remap\naction-script %s\n", checkpoint->hook);
	add_devices(oci_program_of(checkpoint->container), config, options);
	return criu_options_write(checkpoint, options, command, err);
}

/* "PROGRAM VERB --image-path … --file-locks". What the program tells criu itself counts more than criu's file. */
static void add_verb(const struct checkpoint *checkpoint, const struct oci_config *config,
		     const char *verb, struct words *argv)
{
	words_add(argv, checkpoint->container->runtime);
	oci_add_cgroup_option(argv, config);
	words_add_all(argv, (const char *const[]){ verb, "--image-path", checkpoint->images,
						   "--tcp-established", "--file-locks", NULL });
	if (checkpoint->memory_apart && oci_program_of(checkpoint->container)->says_lazy)
		words_add(argv, "--lazy-pages");
}

int oci_dump_command(const struct checkpoint *checkpoint, struct command *command,
		     struct error *err)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	CLEANUP(text_release) struct text options = { 0 };

	criu_options_dump(checkpoint, &options);
	if (oci_config_of(checkpoint->container->directory, &config, err) < 0 ||
	    write_options(checkpoint, &config, &options, command, err) < 0)
		return -1;
	add_verb(checkpoint, &config, "checkpoint", &command->argv);
	words_add(&command->argv, checkpoint->container->id);
	return 0;
}

int oci_resumed(const struct container *container, struct error *err)
{
	const struct oci_program *program = oci_program_of(container);
	CLEANUP(memory_release) char *mark = NULL;

	if (program->dump_mark == NULL)
		return 0;
	mark = memory_format("%s/%s/%s", program->root, container->id, program->dump_mark);
	if (unlink(mark) < 0 && errno != ENOENT)
		return error_system(err, "cannot remove '%s'", mark);
	return 0;
}

int oci_restore_command(const struct checkpoint *checkpoint, struct command *command,
			struct error *err)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	CLEANUP(text_release) struct text options = { 0 };
	const struct container *container = checkpoint->container;
	/* Of v2 neither program tells criu: without this it would be the one that the original had,
	 * which may be another container's here. */
	CLEANUP(memory_release) char *cgroup = cgroup_is_unified() ? oci_cgroup(container) : NULL;

	if (criu_options_restore(checkpoint, cgroup, &options, err) < 0 ||
	    oci_config_of(container->directory, &config, err) < 0 ||
	    write_options(checkpoint, &config, &options, command, err) < 0)
		return -1;
	if (oci_program_of(container)->empties_network && config.network == OCI_NETWORK_PRIVATE)
		words_add(&command->environment, RUNTIME_LOOPBACK "=up");
	add_verb(checkpoint, &config, "restore", &command->argv);
	words_add_all(&command->argv,
		      (const char *const[]){ "--detach", "--bundle", container->directory,
					     container->id, NULL });
	return 0;
}
