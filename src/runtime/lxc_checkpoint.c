// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for whether criu can move an LXC container, and for restoring it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "runtime/criu_options.h"
#include "runtime/lxc.h"
#include "system/cgroup.h"

#define MOUNTINFO_SIZE_MAX (4 << 20)

/* Settings whose effect on the node lxc makes only at a start, not at a restore. */
static void warn_of_lost_settings(const struct lxc_config *config, const char *id)
{
	static const char *const lost[] = { ".script.up", ".veth.vlan.id", ".veth.vlan.tagged.id",
					    ".veth.ipv4.route", ".veth.ipv6.route" };

	for (size_t i = 0; i < config->count; i++)
		for (size_t k = 0; k < COUNT_OF(lost); k++)
			if (text_starts_with(config->items[i].key, "lxc.net.") &&
			    text_ends_with(config->items[i].key, lost[k]))
				log_warning("container '%s': '%s' takes effect on the "
					    "destination only when it is started the next time",
					    id, config->items[i].key);
}

static int check_network(const struct lxc_config *config, unsigned int number, const char *id,
			 struct error *err)
{
	const char *type = lxc_config_network(config, number, "type");
	const char *mode = lxc_config_network(config, number, "veth.mode");

	if (type == NULL || strcmp(type, "empty") == 0)
		return 0;
	if (strcmp(type, "none") == 0)
		return error_exit(
			err, EXIT_TECHNOLOGIES,
			"container '%s' shares the network of its node (lxc.net.%u.type "
			"= none) and cannot be migrated live; migrate it without --online",
			id, number);
	if (strcmp(type, "veth") != 0)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' has a network device of the type '%s' "
				  "(lxc.net.%u); live only 'veth' and 'empty' can be migrated, so "
				  "migrate it without --online",
				  id, type, number);
	if (mode != NULL && strcmp(mode, "bridge") != 0)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' has a veth device in the mode '%s' "
				  "(lxc.net.%u.veth.mode); live only 'bridge' can be migrated, so "
				  "migrate it without --online",
				  id, mode, number);
	return 0;
}

/*
 * A console that is also mounted below lxc.tty.dir comes through one restore; after it that mount
 * is of a terminal that is gone, which criu cannot dump.
 */
static int check_console(const struct container *container, struct error *err)
{
	CLEANUP(memory_release)
	char *path = memory_format("/proc/%d/mountinfo", (int)container->init_pid);
	CLEANUP(text_release) struct text content = { 0 };
	char *rest;

	if (container->init_pid == 0)
		return 0;
	if (file_read(path, MOUNTINFO_SIZE_MAX, &content, err) < 0)
		return -1;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		if (strstr(line, " - devpts ") != NULL && strstr(line, "//deleted ") != NULL)
			return error_exit(err, EXIT_TECHNOLOGIES,
					  "container '%s' has a console that was lost in an "
					  "earlier live migration; set 'lxc.console.path = none' "
					  "and restart it, or migrate it without --online",
					  container->id);
	return 0;
}

int lxc_checkpointable(const struct container *container, struct error *err)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	unsigned int numbers[LXC_DEVICES_MAX];
	const char *terminals;
	size_t count;

	if (lxc_config_of(container, &config, err) < 0)
		return -1;
	terminals = lxc_config_get(&config, "lxc.tty.max");
	if (terminals != NULL && atoi(terminals) != 0)
		return error_exit(
			err, EXIT_TECHNOLOGIES,
			"container '%s' has %s terminals of its node (lxc.tty.max), which "
			"criu cannot dump; set 'lxc.tty.max = 0' after its includes and "
			"restart it, or migrate it without --online",
			container->id, terminals);
	count = lxc_config_networks(&config, numbers, COUNT_OF(numbers));
	for (size_t i = 0; i < count; i++)
		if (check_network(&config, numbers[i], container->id, err) < 0)
			return -1;
	warn_of_lost_settings(&config, container->id);
	return check_console(container, err);
}

static int write_options(const struct checkpoint *checkpoint, const struct lxc_pairs *pairs,
			 const char *cgroup, struct command *command, struct error *err)
{
	CLEANUP(text_release) struct text options = { 0 };

	if (criu_options_restore(checkpoint, cgroup, &options, err) < 0)
		return -1;
	for (size_t i = 0; i < pairs->count; i++)
		text_format(&options, "external netdev[%s]:%s\n", pairs->items[i].name,
			    pairs->items[i].inner);
	return criu_options_write(checkpoint, &options, command, err);
}

/* Asked as lxc asks it. */
static bool has_apparmor(void)
{
	CLEANUP(text_release) struct text enabled = { 0 };
	struct error ignored;

	return file_read("/sys/module/apparmor/parameters/enabled", 16, &enabled, &ignored) == 0 &&
	       text_starts_with(text_string(&enabled), "Y");
}

/* The container's own configuration, with names for the outer ends, and the cgroups, that it leaves open. */
static int write_restore_config(const struct checkpoint *checkpoint, const struct lxc_pairs *pairs,
				const struct lxc_cgroup *cgroup, const char *path,
				struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	CLEANUP(memory_release) char *config = lxc_config_path(checkpoint->container->directory);

	if (config == NULL || file_read(config, LXC_CONFIG_SIZE_MAX, &content, err) < 0)
		return config == NULL ? error_set(err, "container '%s' has no configuration",
						  checkpoint->container->id)
				      : -1;
	text_append(&content, "\n", 1);
	for (size_t i = 0; i < pairs->count; i++) {
		const struct lxc_pair *pair = &pairs->items[i];

		if (!pair->configured)
			text_format(&content, "lxc.net.%u.veth.pair = %s\n", pair->number,
				    pair->outer);
		if (checkpoint->plug_later)
			text_format(&content, "lxc.net.%u.link =\n", pair->number);
	}
	if (cgroup->container != NULL)
		text_format(&content,
			    "lxc.cgroup.dir =\nlxc.cgroup.dir.container = %s\n"
			    "lxc.cgroup.dir.monitor = %s\n",
			    cgroup->container, cgroup->monitor);
	/*
	 * lxc finds the terminal of /dev/console at a restore only where it opens it outside the
	 * container, which it does for this value; the container's devpts is criu's to restore.
	 */
	text_format(&content, "lxc.pty.max = 1\n");
	/* A start ignores the profile where the kernel has no AppArmor; a restore fails. */
	if (!has_apparmor())
		text_format(&content, "lxc.apparmor.profile =\n");
	return file_write(path, &content, 0600, err);
}

int lxc_restore_command(const struct checkpoint *checkpoint, struct command *command,
			struct error *err)
{
	CLEANUP(lxc_pairs_release) struct lxc_pairs pairs = { 0 };
	CLEANUP(lxc_cgroup_release) struct lxc_cgroup cgroup = { 0 };
	CLEANUP(memory_release) char *config = memory_format("%s/config", checkpoint->work);
	const struct container *container = checkpoint->container;

	if (cgroup_is_unified() && lxc_cgroup_plan(checkpoint, &cgroup, err) < 0)
		return -1;
	if (lxc_read_pairs(checkpoint, &pairs, err) < 0 ||
	    write_restore_config(checkpoint, &pairs, &cgroup, config, err) < 0 ||
	    write_options(checkpoint, &pairs, cgroup.path, command, err) < 0)
		return -1;
	words_add_all(&command->argv,
		      (const char *const[]){ "lxc-checkpoint", "-r", "-n", container->id, "-D",
					     checkpoint->images, "-A", checkpoint->hook, "--rcfile",
					     config, NULL });
	return 0;
}
