// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the named network namespace of an OCI container: making one like that of the node
 * that it comes from, plugging it in, and removing it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/oci.h"
#include "system/netns.h"
#include "system/network.h"

#define NAME_SIZE 32

/* A number of this migration's own, the same whenever it is asked for (FNV-1a). */
static uint32_t own_number(const struct container *container, const char *work)
{
	uint32_t hash = 2166136261U;

	for (const char *at = container->id; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619U;
	hash = (hash ^ '/') * 16777619U;
	for (const char *at = work; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619U;
	return hash;
}

static int check_device(const struct container *container, const struct network_device *device,
			struct error *err)
{
	if (device->host_name == NULL || device->mtu == 0)
		return error_set(err, "network device '%s' of container '%s' has no other end",
				 device->name, container->id);
	if (network_link_exists(device->host_name))
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' needs a network device '%s', but this node has "
				  "one of that name",
				  container->id, device->host_name);
	if (device->bridge != NULL && !network_is_bridge(device->bridge))
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' is plugged into the bridge '%s', which this node "
				  "has not",
				  container->id, device->bridge);
	return 0;
}

int oci_plan_network(const struct checkpoint *checkpoint, struct network_plan *plan,
		     struct error *err)
{
	const struct container *container = checkpoint->container;

	if (container->network_namespace == NULL)
		return 0;
	if (netns_name(container->network_namespace) == NULL)
		return error_set(err, "'%s' is no network namespace of /run/netns",
				 container->network_namespace);
	if (file_exists(container->network_namespace))
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "container '%s' needs the network namespace '%s', but this node "
				  "has one of that name: remove it",
				  container->id, container->network_namespace);
	words_add(&plan->namespaces, container->network_namespace);
	for (size_t i = 0; i < container->device_count; i++) {
		if (check_device(container, &container->devices[i], err) < 0)
			return -1;
		words_add(&plan->links, container->devices[i].host_name);
	}
	return 0;
}

int oci_make_network_of(const struct container *container, const char *work, struct error *err)
{
	uint32_t own = own_number(container, work);

	if (container->network_namespace == NULL)
		return 0;
	if (netns_make(container->network_namespace, err) < 0)
		return -1;
	for (size_t i = 0; i < container->device_count; i++) {
		const struct network_device *device = &container->devices[i];
		CLEANUP(memory_release) char *inner = memory_format("vzm%08x%zu", own, i);
		struct netns_link link = {
			.name = device->name,
			.mac = device->mac,
			.mtu = device->mtu,
			.outer = device->host_name,
			.addresses = device->addresses,
		};

		if (netns_make_link(container->network_namespace, &link, inner, err) < 0)
			return -1;
	}
	return netns_make_routes(container->network_namespace, &container->routes, err);
}

int oci_make_network(const struct checkpoint *checkpoint, struct error *err)
{
	return oci_make_network_of(checkpoint->container, checkpoint->work, err);
}

int oci_plug_network_of(const struct container *container, struct error *err)
{
	for (size_t i = 0; container->network_namespace != NULL && i < container->device_count;
	     i++) {
		const struct network_device *device = &container->devices[i];

		if (network_raise(device->host_name, true, err) < 0 ||
		    (device->bridge != NULL &&
		     network_attach(device->host_name, device->bridge, err) < 0))
			return error_context(err, "cannot plug container '%s' into '%s'",
					     container->id,
					     device->bridge != NULL ? device->bridge : "the node");
	}
	return 0;
}

int oci_plug_network(const struct checkpoint *checkpoint, struct error *err)
{
	return oci_plug_network_of(checkpoint->container, err);
}

int oci_hush_network(const struct container *container, struct error *err)
{
	for (size_t i = 0; container->network_namespace != NULL && i < container->device_count;
	     i++) {
		const char *outer = container->devices[i].host_name;

		if (outer != NULL && network_link_exists(outer) &&
		    network_raise(outer, false, err) < 0)
			return -1;
	}
	return 0;
}

int oci_unplug_network(const struct container *container, struct error *err)
{
	if (container->network_namespace == NULL)
		return 0;
	for (size_t i = 0; i < container->device_count; i++)
		if (container->devices[i].host_name != NULL &&
		    network_delete(container->devices[i].host_name, err) < 0)
			return -1;
	return netns_delete(container->network_namespace, err);
}

/* Which it is; 0 when the process is gone. */
static ino_t pid_namespace(pid_t pid)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/ns/pid", (int)pid);
	struct stat status;

	return stat(path, &status) == 0 ? status.st_ino : 0;
}

static int refuse_shared(const struct container *container, pid_t pid, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/comm", (int)pid);
	CLEANUP(text_release) struct text comm = { 0 };
	char name[NAME_SIZE];
	struct error ignored;

	file_read(path, 4096, &comm, &ignored);
	text_printable(name, sizeof(name), text_string(&comm), strcspn(text_string(&comm), "\n"));
	return error_exit(err, EXIT_TECHNOLOGIES,
			  "the network namespace '%s' of container '%s' is also that of process %d "
			  "('%s'), which would be cut off: end it",
			  container->network_namespace, container->id, (int)pid, name);
}

/* The namespace moves, so nobody else may be in it. */
int oci_check_network_use(const struct container *container, struct error *err)
{
	ino_t own = pid_namespace(container->init_pid);
	const struct dirent *entry;
	DIR *directory;
	int result = 0;

	if (container->network_namespace == NULL)
		return 0;
	directory = opendir("/proc");
	if (directory == NULL)
		return error_system(err, "cannot read /proc");
	while (result == 0 && (entry = readdir(directory)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && netns_is_of(container->network_namespace, pid) &&
		    pid_namespace(pid) != own && pid_namespace(pid) != 0)
			result = refuse_shared(container, pid, err);
	}
	closedir(directory);
	return result;
}
