// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what must be true on a node before a container may arrive. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "node/check.h"
#include "system/network.h"

int check_programs(const struct runtime *runtime, bool online, struct error *err)
{
	CLEANUP(memory_release) char *rsync = process_find("rsync");

	if (rsync == NULL)
		return error_exit(err, EXIT_RUNTIME, "cannot find rsync on PATH: install it");
	return runtime->usable(online, err);
}

/* "10.0.0.5/24" and "10.0.0.5" are the same address. Link-local ones are never in conflict. */
static bool same_address(const char *one, const char *other)
{
	size_t length = strcspn(one, "/");

	return strncasecmp(one, "fe80:", 5) != 0 && length == strcspn(other, "/") &&
	       strncasecmp(one, other, length) == 0;
}

/* The first of these addresses that is one of the container's, or NULL. */
static const char *find_any(const struct container *container, const struct words *addresses)
{
	for (size_t i = 0; i < container->device_count; i++) {
		const struct words *own = &container->devices[i].addresses;

		for (size_t k = 0; k < own->count * addresses->count; k++) {
			const char *address = addresses->items[k % addresses->count];

			if (same_address(own->items[k / addresses->count], address))
				return address;
		}
	}
	return NULL;
}

static int check_node_addresses(const struct container *container, struct error *err)
{
	CLEANUP(network_release) struct network_interfaces own = { 0 };

	if (network_read(&own, err) < 0)
		return -1;
	for (size_t i = 0; i < own.count; i++) {
		const char *address = find_any(container, &own.items[i].addresses);

		if (address != NULL)
			return error_exit(err, EXIT_IP_INUSE,
					  "the address %s of container '%s' is an address of the "
					  "node itself",
					  address, container->id);
	}
	return 0;
}

static int check_other(const struct container *container, const struct container *other,
		       struct error *err)
{
	for (size_t i = 0; i < other->device_count; i++) {
		const char *address = find_any(container, &other->devices[i].addresses);

		if (address != NULL)
			return error_exit(err, EXIT_IP_INUSE,
					  "the address %s of container '%s' is in use by "
					  "container '%s'",
					  address, container->id, other->id);
	}
	return 0;
}

static int check_container_addresses(struct host *host, struct error *err)
{
	CLEANUP(words_release) struct words ids = { 0 };

	if (host->runtime->list(&ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		CLEANUP(container_release) struct container other = { 0 };
		struct error failure;

		/* A container that cannot be described cannot be compared; that is its own trouble. */
		if (host->runtime->describe(ids.items[i], &other, &failure) < 0)
			log_debug("container '%s' is left out of the address check: %s",
				  ids.items[i], failure.text);
		else if (other.id != NULL && check_other(&host->container, &other, err) < 0)
			return -1;
	}
	return 0;
}

static int check_needs(const struct container *container, struct error *err)
{
	for (size_t i = 0; i < container->includes.count; i++)
		if (!file_exists(container->includes.items[i]))
			return error_exit(err, EXIT_TECHNOLOGIES,
					  "the configuration of container '%s' includes '%s', "
					  "which is not there: copy it",
					  container->id, container->includes.items[i]);
	for (size_t i = 0; i < container->mount_sources.count; i++)
		if (!file_exists(container->mount_sources.items[i]))
			return error_exit(err, EXIT_TECHNOLOGIES,
					  "container '%s' mounts '%s' from outside, which is not "
					  "there: make it",
					  container->id, container->mount_sources.items[i]);
	for (size_t i = 0; i < container->device_count; i++) {
		const char *bridge = container->devices[i].bridge;

		if (bridge != NULL && !network_link_exists(bridge))
			return error_exit(err, EXIT_TECHNOLOGIES,
					  "network device '%s' of container '%s' is plugged into "
					  "'%s', which is not there: make that bridge",
					  container->devices[i].name, container->id, bridge);
	}
	return 0;
}

int check_destination(struct host *host, const struct areas *areas, struct error *err)
{
	CLEANUP(container_release) struct container there = { 0 };
	const char *id = host->container.id;
	int known = host->runtime->describe(id, &there, err);

	/* One that cannot be described is there all the same, unless lxc itself does not answer. */
	if (known < 0 && !file_exists(areas->items[0].final))
		return -1;
	if (known != 0)
		return error_exit(err, EXIT_EXISTS,
				  "container '%s' exists: remove it, or migrate "
				  "under another id",
				  id);
	if (staging_check(host, areas, err) < 0 || check_needs(&host->container, err) < 0 ||
	    check_node_addresses(&host->container, err) < 0)
		return -1;
	return check_container_addresses(host, err);
}

int check_start(struct host *host, struct error *err)
{
	CLEANUP(container_release) struct container now = { 0 };
	struct error failure;

	/* Told twice, since the first answer was lost. */
	if (host->runtime->describe(host->container.id, &now, &failure) == 1 &&
	    now.state == CONTAINER_RUNNING)
		return 1;
	container_release(&now);
	if (host->runtime->start(&host->container, err) == 0)
		return 1;
	/* It failed, so nothing of it may be left: a half-started one is stopped. */
	if (host->runtime->stop(&host->container, 0, &failure) < 0)
		log_debug("%s", failure.text);
	if (host->runtime->describe(host->container.id, &now, &failure) < 0 ||
	    now.state != CONTAINER_STOPPED)
		return -1;
	return 0;
}
