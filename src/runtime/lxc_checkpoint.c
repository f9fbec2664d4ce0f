// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for dumping and restoring LXC containers: the commands and what they need. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "runtime/lxc.h"
#include "system/network.h"

/* Deleted files that are still open travel in the images; criu's own limit is 1 MiB. */
#define GHOST_LIMIT "1G"

/* The MTU of a link that is plugged in nowhere. */
#define DEFAULT_MTU 1500

/* A veth pair that must be there before the restore. */
struct pair {
	unsigned int number; /* lxc.net.NUMBER */
	char *name;	     /* inside the container */
	char *outer;
	char *inner; /* the inner end's name until criu moves it into the container */
	char *bridge;
	char *mtu;	 /* as configured, or NULL */
	bool configured; /* the configuration names the outer end */
};

struct pairs {
	struct pair items[LXC_DEVICES_MAX];
	size_t count;
};

static void pairs_release(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].name);
		free(pairs->items[i].outer);
		free(pairs->items[i].inner);
		free(pairs->items[i].bridge);
		free(pairs->items[i].mtu);
	}
	pairs->count = 0;
}

/* A number of this migration's own, the same whenever it is asked for (FNV-1a). */
static uint32_t migration_number(const struct checkpoint *checkpoint)
{
	uint32_t hash = 2166136261U;

	for (const char *at = checkpoint->container->id; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619U;
	hash = (hash ^ '/') * 16777619U;
	for (const char *at = checkpoint->work; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619U;
	return hash;
}

static char *copy_text(const char *text)
{
	return text != NULL ? memory_duplicate(text) : NULL;
}

static void plan_pairs(const struct lxc_config *config, const struct checkpoint *checkpoint,
		       struct pairs *pairs)
{
	unsigned int numbers[LXC_DEVICES_MAX];
	size_t count = lxc_config_networks(config, numbers, COUNT_OF(numbers));
	uint32_t own = migration_number(checkpoint);
	unsigned int order = 0;

	for (size_t i = 0; i < count; i++) {
		struct pair *pair = &pairs->items[pairs->count];
		const char *type = lxc_config_network(config, numbers[i], "type");
		const char *outer = lxc_config_network(config, numbers[i], "veth.pair");
		char *name = lxc_device_name(config, numbers[i], &order);

		if (type == NULL || strcmp(type, "veth") != 0) {
			free(name);
			continue;
		}
		pair->number = numbers[i];
		pair->name = name;
		pair->outer = outer != NULL ? memory_duplicate(outer) :
					      memory_format("veth%08x%zu", own, i);
		pair->inner = memory_format("vzm%08x%zu", own, i);
		pair->bridge = copy_text(lxc_config_network(config, numbers[i], "link"));
		pair->mtu = copy_text(lxc_config_network(config, numbers[i], "mtu"));
		pair->configured = outer != NULL;
		pairs->count++;
	}
}

static int read_pairs(const struct checkpoint *checkpoint, struct pairs *pairs, struct error *err)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release) char *path = lxc_config_path(checkpoint->container->directory);

	if (path == NULL)
		return error_set(err, "container '%s' has no configuration",
				 checkpoint->container->id);
	if (lxc_config_read(&config, path, err) < 0)
		return -1;
	plan_pairs(&config, checkpoint, pairs);
	return 0;
}

static int check_pair(const struct pair *pair, const char *id, struct error *err)
{
	if (network_link_exists(pair->outer))
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' needs a network device '%s', but this node has "
				  "one of that name",
				  id, pair->outer);
	if (pair->bridge != NULL && !network_is_bridge(pair->bridge))
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' is plugged into the bridge '%s', which this node "
				  "has not",
				  id, pair->bridge);
	return 0;
}

int lxc_plan_network(const struct checkpoint *checkpoint, struct words *links, struct error *err)
{
	CLEANUP(pairs_release) struct pairs pairs = { 0 };

	if (read_pairs(checkpoint, &pairs, err) < 0)
		return -1;
	for (size_t i = 0; i < pairs.count; i++) {
		if (check_pair(&pairs.items[i], checkpoint->container->id, err) < 0)
			return -1;
		words_add(links, pairs.items[i].outer);
	}
	return 0;
}

/*
 * criu plugs the outer end into the bridge (lxc tells it "veth[eth0]:OUTER@BRIDGE"), and fails when
 * it is plugged in already.
 */
static int make_pair(const struct pair *pair, struct error *err)
{
	int mtu = DEFAULT_MTU;

	if (pair->mtu != NULL && atoi(pair->mtu) > 0) {
		mtu = atoi(pair->mtu);
	} else if (pair->bridge != NULL) {
		mtu = network_mtu(pair->bridge, err);
		if (mtu < 0)
			return -1;
	}
	return network_make_pair(pair->outer, pair->inner, mtu, err);
}

int lxc_make_network(const struct checkpoint *checkpoint, struct error *err)
{
	CLEANUP(pairs_release) struct pairs pairs = { 0 };

	if (read_pairs(checkpoint, &pairs, err) < 0)
		return -1;
	for (size_t i = 0; i < pairs.count; i++)
		if (make_pair(&pairs.items[i], err) < 0)
			return error_context(err, "cannot make network device '%s'",
					     pairs.items[i].outer);
	return 0;
}

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
		return error_exit(err, EXIT_TECHNOLOGIES,
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

int lxc_checkpointable(const struct container *container, struct error *err)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release) char *path = lxc_config_path(container->directory);
	unsigned int numbers[LXC_DEVICES_MAX];
	const char *terminals;
	size_t count;

	if (path == NULL)
		return error_set(err, "container '%s' has no configuration", container->id);
	if (lxc_config_read(&config, path, err) < 0)
		return -1;
	terminals = lxc_config_get(&config, "lxc.tty.max");
	if (terminals != NULL && atoi(terminals) != 0)
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' has %s terminals of its node (lxc.tty.max), which "
				  "criu cannot dump; set 'lxc.tty.max = 0' after its includes and "
				  "restart it, or migrate it without --online",
				  container->id, terminals);
	count = lxc_config_networks(&config, numbers, COUNT_OF(numbers));
	for (size_t i = 0; i < count; i++)
		if (check_network(&config, numbers[i], container->id, err) < 0)
			return -1;
	warn_of_lost_settings(&config, container->id);
	return 0;
}

/* criu, which lxc starts, reads its further options from a file. */
static int write_criu_options(const struct checkpoint *checkpoint, const struct pairs *pairs,
			      struct command *command, struct error *err)
{
	CLEANUP(text_release) struct text options = { 0 };
	CLEANUP(memory_release) char *path = memory_format("%s/criu.conf", checkpoint->work);

	text_format(&options, "tcp-established\nghost-limit %s\n", GHOST_LIMIT);
	for (size_t i = 0; i < pairs->count; i++)
		text_format(&options, "external netdev[%s]:%s\n", pairs->items[i].name,
			    pairs->items[i].inner);
	words_format(&command->environment, "CRIU_CONFIG_FILE=%s", path);
	return file_write(path, &options, 0600, err);
}

int lxc_dump_command(const struct checkpoint *checkpoint, struct command *command,
		     struct error *err)
{
	static const struct pairs none;

	words_add_all(&command->argv,
		      (const char *const[]){ "lxc-checkpoint", "-n", checkpoint->container->id,
					     "-s", "-D", checkpoint->images, "-A", checkpoint->hook,
					     NULL });
	return write_criu_options(checkpoint, &none, command, err);
}

/* The container's own configuration, with names for the outer ends that it leaves open. */
static int write_restore_config(const struct checkpoint *checkpoint, const struct pairs *pairs,
				const char *path, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	CLEANUP(memory_release) char *config =
		lxc_config_path(checkpoint->container->directory);

	if (config == NULL || file_read(config, LXC_CONFIG_SIZE_MAX, &content, err) < 0)
		return config == NULL ? error_set(err, "container '%s' has no configuration",
						  checkpoint->container->id) :
					-1;
	text_append(&content, "\n", 1);
	for (size_t i = 0; i < pairs->count; i++)
		if (!pairs->items[i].configured)
			text_format(&content, "lxc.net.%u.veth.pair = %s\n",
				    pairs->items[i].number, pairs->items[i].outer);
	return file_write(path, &content, 0600, err);
}

int lxc_restore_command(const struct checkpoint *checkpoint, struct command *command,
			struct error *err)
{
	CLEANUP(pairs_release) struct pairs pairs = { 0 };
	CLEANUP(memory_release) char *config = memory_format("%s/config", checkpoint->work);
	const struct container *container = checkpoint->container;

	if (read_pairs(checkpoint, &pairs, err) < 0 ||
	    write_restore_config(checkpoint, &pairs, config, err) < 0 ||
	    write_criu_options(checkpoint, &pairs, command, err) < 0)
		return -1;
	/* criu opens images from inside the user namespace. */
	if (chown(checkpoint->images, container_root_uid(container),
		  container_root_gid(container)) < 0)
		return error_system(err, "cannot give '%s' to the container's root",
				    checkpoint->images);
	words_add_all(&command->argv,
		      (const char *const[]){ "lxc-checkpoint", "-r", "-n", container->id, "-D",
					     checkpoint->images, "-A", checkpoint->hook,
					     "--rcfile", config, NULL });
	return 0;
}
