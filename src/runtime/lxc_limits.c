// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Alone responsible for the limits of an LXC container where there is nothing but cgroup v2: criu keeps none of them,
 * and lxc up to 7.0 sets them only at a start, not at a restore.
 */
#include <string.h>

#include "base/memory.h"
#include "runtime/lxc.h"
#include "system/cgroup.h"
#include "system/cgroup_devices.h"
#include "system/cgroup_limit.h"

#define PREFIX "lxc.cgroup2."

/* Of a file of a controller. Those of the cgroup itself are criu's. */
static int set_limit(const char *path, const char *name, const char *value, struct error *err)
{
	return cgroup_limit_has_name(name) ? cgroup_limit_set(path, name, value, err) : 0;
}

/* One program for all rules. */
static int set_devices(const struct lxc_config *config, const char *path, struct error *err)
{
	CLEANUP(device_rules_release) struct device_rules rules = { 0 };
	bool any = false;

	for (size_t i = 0; i < config->count; i++) {
		const struct lxc_config_item *item = &config->items[i];
		bool allow = strcmp(item->key, PREFIX "devices.allow") == 0;

		if (!allow && strcmp(item->key, PREFIX "devices.deny") != 0)
			continue;
		if (device_rules_add(&rules, item->value, allow, err) < 0)
			return error_context(err, "'%s'", item->key);
		any = true;
	}
	return any ? cgroup_devices_limit(path, &rules, err) : 0;
}

static int set_all(const struct lxc_config *config, const char *path, struct error *err)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct lxc_config_item *item = &config->items[i];

		if (text_starts_with(item->key, PREFIX) &&
		    !text_starts_with(item->key, PREFIX "devices.") &&
		    set_limit(path, item->key + strlen(PREFIX), item->value, err) < 0)
			return error_context(err, "'%s'", item->key);
	}
	return set_devices(config, path, err);
}

int lxc_set_limits(const struct checkpoint *checkpoint, struct error *err)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(lxc_cgroup_release) struct lxc_cgroup cgroup = { 0 };
	CLEANUP(memory_release) char *path = NULL;

	if (!cgroup_is_unified())
		return 0;
	if (lxc_config_of(checkpoint->container, &config, err) < 0 ||
	    lxc_cgroup_plan(checkpoint, &cgroup, err) < 0)
		return -1;
	path = memory_format("/sys/fs/cgroup%s", cgroup.limited);
	if (set_all(&config, path, err) < 0)
		return error_context(err,
				     "container '%s' cannot have a limit of its configuration here",
				     checkpoint->container->id);
	return 0;
}
