// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what an OCI container is: its bundle, and what is live, as a struct container. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/fence.h"
#include "runtime/oci.h"
#include "runtime/outside.h"
#include "system/netns.h"
#include "system/network.h"

static char *copy_text(const char *text)
{
	return text != NULL ? memory_duplicate(text) : NULL;
}

/* Something mounted there is not the directory's: podman and containerd make their own at each start. */
static int check_mounted(const struct container *container, const struct stat *status,
			 struct error *err)
{
	CLEANUP(memory_release) char *parent = file_parent(container->private_area);
	struct stat above;

	if (stat(parent, &above) < 0)
		return error_system(err, "cannot look at '%s'", parent);
	if (above.st_dev == status->st_dev)
		return 0;
	return error_exit(err, EXIT_TECHNOLOGIES,
			  "the root file system '%s' of container '%s' is a mount, made by another "
			  "program for it; only a directory can be migrated",
			  container->private_area, container->id);
}

static int describe_rootfs(const struct oci_config *config, struct container *container,
			   struct error *err)
{
	CLEANUP(memory_release)
	char *path = config->rootfs[0] == '/'
			     ? memory_duplicate(config->rootfs)
			     : memory_format("%s/%s", container->directory, config->rootfs);
	struct stat status;

	container->private_area = realpath(path, NULL);
	if (container->private_area == NULL || stat(container->private_area, &status) < 0)
		return error_system(err, "cannot find the root file system '%s' of container '%s'",
				    path, container->id);
	if (!S_ISDIR(status.st_mode) || !file_path_is_plain(container->private_area) ||
	    file_path_below(container->directory, container->private_area))
		return error_exit(err, EXIT_TECHNOLOGIES,
				  "the root file system '%s' of container '%s' is no directory of "
				  "its own",
				  path, container->id);
	return check_mounted(container, &status, err);
}

/* What is relative, or below the bundle, moves with it. */
static bool is_inside(const struct container *container, const char *path)
{
	return path[0] != '/' ||
	       (file_path_is_plain(path) && file_path_below(path, container->directory));
}

static int describe_outside(const struct oci_config *config, struct container *container,
			    struct error *err)
{
	for (size_t i = 0; i < config->binds.count; i++)
		if (!is_inside(container, config->binds.items[i]) &&
		    outside_add_mount(container, config->binds.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < config->devices.count; i++)
		if (!is_inside(container, config->devices.items[i]))
			return outside_refuse_device(container, config->devices.items[i], err);
	for (size_t i = 0; i < config->files.count; i++)
		outside_add_file(container, config->files.items[i]);
	return 0;
}

static void describe_ranges(const struct oci_config *config, struct container *container)
{
	if (config->range_count == 0)
		return;
	container->ranges = memory_allocate(config->range_count, sizeof(*container->ranges));
	container->range_count = config->range_count;
	memcpy(container->ranges, config->ranges, config->range_count * sizeof(*config->ranges));
}

static void copy_device(struct network_device *device, const struct netns_link *link)
{
	device->type = memory_duplicate(*link->kind != '\0' ? link->kind : "physical");
	device->name = memory_duplicate(link->name);
	device->bridge = copy_text(link->bridge);
	device->host_name = copy_text(link->outer);
	device->mac = copy_text(link->mac);
	device->mtu = link->mtu;
	words_extend(&device->addresses, &link->addresses);
}

static int describe_named(struct container *container, struct error *err)
{
	CLEANUP(netns_release) struct netns_links links = { 0 };

	if (netns_read(container->network_namespace, &links, &container->routes, err) < 0)
		return -1;
	container->devices = memory_allocate(links.count, sizeof(*container->devices));
	container->device_count = links.count;
	for (size_t i = 0; i < links.count; i++)
		copy_device(&container->devices[i], &links.items[i]);
	return 0;
}

/* What somebody has put into the container's own namespace. The kernel's devices for tunnels are in every
 * one, down and without an address. */
static int describe_private(struct container *container, struct error *err)
{
	CLEANUP(network_release) struct network_interfaces interfaces = { 0 };

	if (network_read_of(container->init_pid, &interfaces, err) < 0)
		return -1;
	container->devices = memory_allocate(interfaces.count, sizeof(*container->devices));
	for (size_t i = 0; i < interfaces.count; i++) {
		const struct network_interface *interface = &interfaces.items[i];
		struct network_device *device = &container->devices[container->device_count];

		if (interface->loopback || (!interface->up && interface->addresses.count == 0))
			continue;
		device->type = memory_duplicate("unknown");
		device->name = memory_duplicate(interface->name);
		words_extend(&device->addresses, &interface->addresses);
		container->device_count++;
	}
	return 0;
}

/* A stopped container has no network: a named namespace is then its admin's, and stays. */
static int describe_network(const struct oci_config *config, struct container *container,
			    struct error *err)
{
	int result = 0;

	if (container->init_pid == 0 || config->network == OCI_NETWORK_NODE)
		return 0;
	if (config->network == OCI_NETWORK_PRIVATE) {
		result = describe_private(container, err);
	} else if (netns_name(config->network_path) != NULL) {
		container->network_namespace = memory_duplicate(config->network_path);
		result = describe_named(container, err);
	}
	if (result < 0)
		return error_context(err, "cannot learn the network of container '%s'",
				     container->id);
	return 0;
}

int oci_describe_bundle(struct container *container, struct error *err)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };

	if (oci_config_of(container->directory, &config, err) < 0)
		return error_context(err, "container '%s'", container->id);
	container->hostname =
		memory_duplicate(config.hostname != NULL ? config.hostname : container->id);
	describe_ranges(&config, container);
	if (describe_rootfs(&config, container, err) < 0 ||
	    describe_outside(&config, container, err) < 0)
		return -1;
	return describe_network(&config, container, err);
}

char *oci_place(const struct container *from, const char *id, struct error *err)
{
	CLEANUP(memory_release) char *parent = file_parent(from->directory);

	/* On the source it is the container's own. */
	if (from->network_namespace != NULL && file_exists(from->network_namespace) &&
	    !netns_is_of(from->network_namespace, from->init_pid)) {
		error_exit(err, EXIT_EXISTS,
			   "the network namespace '%s' of container '%s' exists: remove it",
			   from->network_namespace, from->id);
		return NULL;
	}
	if (id[0] == '/')
		return memory_duplicate(id);
	if (strcmp(id, from->id) == 0)
		return memory_duplicate(from->directory);
	return memory_format("%s/%s", strcmp(parent, "/") == 0 ? "" : parent, id);
}

/* Is the root file system where it was, as seen from the bundle? */
static bool stays_relative(const struct container *from, const struct container *to)
{
	if (!file_path_below(from->private_area, from->directory))
		return strcmp(from->private_area, to->private_area) == 0;
	return file_path_below(to->private_area, to->directory) &&
	       strcmp(from->private_area + strlen(from->directory),
		      to->private_area + strlen(to->directory)) == 0;
}

/* Writes only what differs: what is understood here is not all that may be in it. */
static int write_moved(struct oci_config *config, const struct container *from,
		       const struct container *to, const char *path, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct stat status;

	int changed = oci_config_move(config, from->private_area, to->private_area);

	changed += oci_config_move(config, from->directory, to->directory);
	if (!stays_relative(from, to))
		changed += oci_config_set(config, "root", "path", to->private_area);
	if (config->hostname != NULL && strcmp(from->hostname, to->hostname) != 0)
		changed += oci_config_set(config, NULL, "hostname", to->hostname);
	if (changed == 0)
		return 0;
	if (stat(path, &status) < 0)
		return error_system(err, "cannot read '%s'", path);
	text_format(&content, "%s\n",
		    json_object_to_json_string_ext(config->root,
						   JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	return file_write(path, &content, status.st_mode & 07777, err);
}

int oci_rewrite(const struct container *from, const struct container *to, const char *in,
		struct error *err)
{
	CLEANUP(oci_config_release) struct oci_config config = { 0 };
	CLEANUP(memory_release) char *path = fence_path(in, OCI_CONFIG_NAME);

	if (path == NULL)
		return error_set(err, "container '%s' came without its configuration", to->id);
	if (oci_config_read(&config, path, err) < 0 ||
	    write_moved(&config, from, to, path, err) < 0)
		return -1;
	/* What stopped before the last pass was fenced by then; its copy is not to be. */
	return fence_lower(in, OCI_CONFIG_NAME, err);
}
