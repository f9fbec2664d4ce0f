// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the checks of addresses and of what the container is plugged into. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "node/check.h"
#include "system/neighbours.h"
#include "system/network.h"

/* "10.0.0.5/24" and "10.0.0.5" are the same address. Link-local ones are never in conflict. */
static bool same_address(const char *one, const char *other)
{
	size_t length = strcspn(one, "/");

	return strncasecmp(one, "fe80:", 5) != 0 && length == strcspn(other, "/") &&
	       strncasecmp(one, other, length) == 0;
}

static bool has_address(const struct words *addresses, const char *address)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (same_address(addresses->items[i], address))
			return true;
	return false;
}

static const char *find_other(const struct check_others *others, const char *address)
{
	for (size_t i = 0; i < others->count; i++)
		for (size_t k = 0; k < others->items[i].device_count; k++)
			if (has_address(&others->items[i].devices[k].addresses, address))
				return others->items[i].id;
	return NULL;
}

static bool node_has(const struct network_interfaces *own, const char *address)
{
	for (size_t i = 0; i < own->count; i++)
		if (has_address(&own->items[i].addresses, address))
			return true;
	return false;
}

/* Is the address one of this node, as far as the node itself knows? Then it is said. */
static bool is_known(const struct check_subject *subject, const struct network_interfaces *own,
		     const char *address, struct verdicts *verdicts)
{
	const char *id = subject->host->container.id;
	const char *other = find_other(check_others(subject), address);

	if (node_has(own, address))
		verdict_refuse(verdicts, EXIT_IP_INUSE,
			       "the address %s of container '%s' is an address of the node itself",
			       address, id);
	else if (other != NULL)
		verdict_refuse(verdicts, EXIT_IP_INUSE,
			       "the address %s of container '%s' is in use by container '%s'",
			       address, id, other);
	return node_has(own, address) || other != NULL;
}

static void ask_neighbours(const char *id, const struct network_device *device,
			   struct neighbour_question *questions, size_t count,
			   struct verdicts *verdicts)
{
	struct error failure;

	if (count == 0 || device->bridge == NULL || !network_link_exists(device->bridge))
		return;
	if (neighbours_ask(device->bridge, questions, count, &failure) < 0) {
		verdict_remark(verdicts,
			       "whether somebody else has the addresses of container '%s' could "
			       "not be asked: %s",
			       id, failure.text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		char mac[NETWORK_MAC_SIZE];

		if (!questions[i].answered)
			continue;
		network_format_mac(questions[i].mac, mac);
		verdict_refuse(verdicts, EXIT_IP_INUSE,
			       "the address %s of container '%s' is in use in the network of "
			       "'%s', by a machine with the MAC %s: free it there, or give the "
			       "container another one",
			       questions[i].address, id, device->bridge, mac);
	}
}

static void check_device_addresses(const struct check_subject *subject,
				   const struct network_interfaces *own,
				   const struct network_device *device, struct verdicts *verdicts)
{
	struct neighbour_question questions[NEIGHBOURS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < device->addresses.count; i++) {
		const char *address = device->addresses.items[i];

		if (strncasecmp(address, "fe80:", 5) == 0 ||
		    is_known(subject, own, address, verdicts) || count == COUNT_OF(questions))
			continue;
		questions[count++] = (struct neighbour_question){
			.address = address,
			.own = device->mac,
		};
	}
	ask_neighbours(subject->host->container.id, device, questions, count, verdicts);
}

void check_ip_address(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	CLEANUP(network_release) struct network_interfaces own = { 0 };
	struct error failure = { 0 };

	if (network_read(&own, &failure) < 0) {
		verdict_fail(verdicts, &failure, EXIT_IP_INUSE);
		return;
	}
	for (size_t i = 0; i < container->device_count; i++)
		check_device_addresses(subject, &own, &container->devices[i], verdicts);
}

static void note_mtus(const struct check_subject *subject)
{
	const struct container *container = &subject->host->container;

	for (size_t i = 0; i < container->device_count; i++) {
		const char *bridge = container->devices[i].bridge;
		struct error ignored;
		int mtu = bridge != NULL ? network_mtu(bridge, &ignored) : 0;

		words_format(&subject->facts->mtus, "%d", mtu > 0 ? mtu : 0);
	}
}

/* What runs has packets of the size that it was told when it started. */
static void compare_mtu(const struct check_subject *subject, size_t number,
			struct verdicts *verdicts)
{
	const struct network_device *device = &subject->host->container.devices[number];
	const struct words *mtus = &subject->facts->mtus;
	struct error ignored;
	int here = network_mtu(device->bridge, &ignored);
	int there = number < mtus->count ? atoi(mtus->items[number]) : 0;

	if (!subject->online || there == 0 || here < 0 || here >= there)
		return;
	verdicts->failing = VERDICT_OFFLINE_ONLY;
	verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
		       "'%s' takes packets of %d bytes here and of %d on the source: raise its "
		       "MTU, or migrate container '%s' without --online",
		       device->bridge, here, there, subject->host->container.id);
	verdicts->failing = VERDICT_NO;
}

void check_bridge(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;

	if (!subject->destination) {
		note_mtus(subject);
		return;
	}
	for (size_t i = 0; i < container->device_count; i++) {
		const struct network_device *device = &container->devices[i];

		if (device->host_name != NULL && network_link_exists(device->host_name))
			verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
				       "network device '%s' of container '%s' is to be '%s' on the "
				       "node, which has a device of that name: rename it",
				       device->name, container->id, device->host_name);
		if (device->bridge == NULL)
			continue;
		if (!network_link_exists(device->bridge))
			verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
				       "network device '%s' of container '%s' is plugged into "
				       "'%s', which is not there: make that bridge",
				       device->name, container->id, device->bridge);
		else if (strcmp(device->type, "veth") == 0 && !network_is_bridge(device->bridge))
			verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
				       "network device '%s' of container '%s' is plugged into "
				       "'%s', which is no bridge here: make it one",
				       device->name, container->id, device->bridge);
		else
			compare_mtu(subject, i, verdicts);
	}
}
