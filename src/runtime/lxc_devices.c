// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for an LXC container's network devices: as configured, and as they are live. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "runtime/lxc.h"
#include "system/network.h"

static char *copy_text(const char *text)
{
	return text != NULL ? memory_duplicate(text) : NULL;
}

static bool contains(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

/* "10.0.0.5/24 10.0.0.255" has a broadcast address that is none of the container's. */
static void add_configured(const struct lxc_config *config, unsigned int number, const char *name,
			   struct network_device *device)
{
	CLEANUP(memory_release) char *key = memory_format("lxc.net.%u.%s", number, name);
	CLEANUP(words_release) struct words values = { 0 };

	lxc_config_list(config, key, &values);
	for (size_t i = 0; i < values.count; i++) {
		char *address = values.items[i];

		address[strcspn(address, " \t")] = '\0';
		if (!contains(&device->addresses, address))
			words_add(&device->addresses, address);
	}
}

static bool has_device(const char *type)
{
	return strcmp(type, "none") != 0 && strcmp(type, "empty") != 0;
}

char *lxc_device_name(const struct lxc_config *config, unsigned int number, unsigned int *order)
{
	const char *type = lxc_config_network(config, number, "type");
	const char *name = lxc_config_network(config, number, "name");

	if (type == NULL || !has_device(type))
		return memory_duplicate("lo");
	if (name == NULL)
		return memory_format("eth%u", (*order)++);
	(*order)++;
	return memory_duplicate(name);
}

static void describe_device(const struct lxc_config *config, unsigned int number,
			    unsigned int *order, struct network_device *device)
{
	const char *type = lxc_config_network(config, number, "type");
	const char *mac = lxc_config_network(config, number, "hwaddr");

	device->type = memory_duplicate(type != NULL ? type : "empty");
	device->name = lxc_device_name(config, number, order);
	device->bridge = copy_text(lxc_config_network(config, number, "link"));
	device->host_name = copy_text(lxc_config_network(config, number, "veth.pair"));
	/* An x stands for a random digit: only the running container has its MAC. */
	if (mac != NULL && strpbrk(mac, "xX") == NULL)
		device->mac = memory_duplicate(mac);
	add_configured(config, number, "ipv4.address", device);
	add_configured(config, number, "ipv6.address", device);
}

/* Link-local addresses follow from the MAC and mean nothing beyond the link. */
static void add_live(const struct network_interface *interface, struct network_device *device)
{
	char mac[NETWORK_MAC_SIZE];

	network_format_mac(interface->mac, mac);
	if (interface->ethernet && device->mac == NULL)
		device->mac = memory_duplicate(mac);
	for (size_t i = 0; i < interface->addresses.count; i++) {
		const char *address = interface->addresses.items[i];

		if (!text_starts_with(address, "fe80:") && !contains(&device->addresses, address))
			words_add(&device->addresses, address);
	}
}

static int describe_live(struct container *container, struct error *err)
{
	CLEANUP(network_release) struct network_interfaces interfaces = { 0 };

	if (network_read_of(container->init_pid, &interfaces, err) < 0)
		return error_context(err, "cannot learn the addresses of container '%s'",
				     container->id);
	for (size_t i = 0; i < interfaces.count; i++)
		for (size_t k = 0; k < container->device_count; k++)
			if (!interfaces.items[i].loopback &&
			    strcmp(interfaces.items[i].name, container->devices[k].name) == 0)
				add_live(&interfaces.items[i], &container->devices[k]);
	return 0;
}

int lxc_describe_devices(const struct lxc_config *config, struct container *container,
			 struct error *err)
{
	unsigned int numbers[LXC_DEVICES_MAX];
	size_t count = lxc_config_networks(config, numbers, COUNT_OF(numbers));
	unsigned int order = 0;

	container->devices = memory_allocate(count, sizeof(*container->devices));
	container->device_count = count;
	for (size_t i = 0; i < count; i++)
		describe_device(config, numbers[i], &order, &container->devices[i]);
	return container->init_pid > 0 ? describe_live(container, err) : 0;
}
