// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the veth pairs that an LXC container needs before it is restored. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "runtime/lxc.h"
#include "system/network.h"

#define REMOVAL_LIMIT_MS 2000
#define REMOVAL_INTERVAL_MS 20

/* The MTU of a link that is plugged in nowhere. */
#define DEFAULT_MTU 1500

void lxc_pairs_release(struct lxc_pairs *pairs)
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

/* FNV-1a. */
uint32_t lxc_migration_number(const struct checkpoint *checkpoint)
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
		       struct lxc_pairs *pairs)
{
	unsigned int numbers[LXC_DEVICES_MAX];
	size_t count = lxc_config_networks(config, numbers, COUNT_OF(numbers));
	uint32_t own = lxc_migration_number(checkpoint);
	unsigned int order = 0;

	for (size_t i = 0; i < count; i++) {
		struct lxc_pair *pair = &pairs->items[pairs->count];
		const char *type = lxc_config_network(config, numbers[i], "type");
		const char *outer = lxc_config_network(config, numbers[i], "veth.pair");
		char *name = lxc_device_name(config, numbers[i], &order);

		if (type == NULL || strcmp(type, "veth") != 0) {
			free(name);
			continue;
		}
		pair->number = numbers[i];
		pair->name = name;
		pair->outer = outer != NULL ? memory_duplicate(outer)
					    : memory_format("veth%08x%zu", own, i);
		pair->inner = memory_format("vzm%08x%zu", own, i);
		pair->bridge = copy_text(lxc_config_network(config, numbers[i], "link"));
		pair->mtu = copy_text(lxc_config_network(config, numbers[i], "mtu"));
		pair->configured = outer != NULL;
		pairs->count++;
	}
}

int lxc_read_pairs(const struct checkpoint *checkpoint, struct lxc_pairs *pairs, struct error *err)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };

	if (lxc_config_of(checkpoint->container, &config, err) < 0)
		return -1;
	plan_pairs(&config, checkpoint, pairs);
	return 0;
}

/* The kernel takes its time to remove the devices of a container that has just ended here. */
static bool is_in_use(const char *link)
{
	int64_t deadline = wait_clock() + REMOVAL_LIMIT_MS;
	struct error ignored;

	while (network_link_exists(link))
		if (wait_clock() > deadline || wait_sleep(REMOVAL_INTERVAL_MS, &ignored) < 0)
			return true;
	return false;
}

static int check_pair(const struct lxc_pair *pair, const char *id, struct error *err)
{
	if (is_in_use(pair->outer))
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

int lxc_plan_network(const struct checkpoint *checkpoint, struct network_plan *plan,
		     struct error *err)
{
	CLEANUP(lxc_pairs_release) struct lxc_pairs pairs = { 0 };

	if (lxc_read_pairs(checkpoint, &pairs, err) < 0)
		return -1;
	for (size_t i = 0; i < pairs.count; i++) {
		if (check_pair(&pairs.items[i], checkpoint->container->id, err) < 0)
			return -1;
		words_add(&plan->links, pairs.items[i].outer);
	}
	return 0;
}

/*
 * Not plugged in: criu does that (lxc tells it "veth[eth0]:OUTER@BRIDGE") and fails when it is
 * done already.
 */
static int make_pair(const struct lxc_pair *pair, struct error *err)
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
	CLEANUP(lxc_pairs_release) struct lxc_pairs pairs = { 0 };

	if (lxc_read_pairs(checkpoint, &pairs, err) < 0)
		return -1;
	for (size_t i = 0; i < pairs.count; i++)
		if (make_pair(&pairs.items[i], err) < 0)
			return error_context(err, "cannot make network device '%s'",
					     pairs.items[i].outer);
	return 0;
}

int lxc_plug_network(const struct checkpoint *checkpoint, struct error *err)
{
	CLEANUP(lxc_pairs_release) struct lxc_pairs pairs = { 0 };

	if (lxc_read_pairs(checkpoint, &pairs, err) < 0)
		return -1;
	for (size_t i = 0; i < pairs.count; i++) {
		const struct lxc_pair *pair = &pairs.items[i];

		if (pair->bridge != NULL && network_attach(pair->outer, pair->bridge, err) < 0)
			return error_context(err, "cannot plug container '%s' into '%s'",
					     checkpoint->container->id, pair->bridge);
	}
	return 0;
}

/* Only lxc knows what it called the outer ends: "Link:           vethAbC123". */
int lxc_unplug_network(const struct container *container, struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	CLEANUP(text_release) struct text output = { 0 };
	struct process_options options = { PROCESS_DEFAULTS };
	char *rest;

	words_add_all(&argv, (const char *const[]){ "lxc-info", "-n", container->id, "-S", NULL });
	lxc_add_rcfile(&argv, container->directory);
	options.argv = (const char *const *)argv.items;
	if (process_run(&options, LXC_INFO_TIMEOUT_MS, &output, err) < 0)
		return -1;
	rest = output.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		static const char label[] = "Link:";

		if (text_starts_with(line, label) &&
		    network_delete(text_strip(line + sizeof(label) - 1), err) < 0)
			return -1;
	}
	return 0;
}
