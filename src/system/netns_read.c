// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading what is in a named network namespace. */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/process.h"
#include "system/netns.h"

#define IP_TIMEOUT_MS 10000
#define LINKS_MAX 1024
#define MTU_MAX 65536
#define INDEX_MAX 0x7fffffff

/* The words of ip that tell of a route's state, and are none of a route's. */
static const char *const route_states[] = { "linkdown", "dead",	   "offload",
					    "trap",	"rt_trap", "rt_offload" };

/* What ip prints as JSON: an array. The caller puts it. */
static json_object *ask_ip(const char *const *argv, struct error *err)
{
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };
	CLEANUP(text_release) struct text output = { 0 };
	json_object *list;

	if (process_run(&options, IP_TIMEOUT_MS, &output, err) < 0)
		return NULL;
	list = json_tokener_parse(text_string(&output));
	if (json_object_is_type(list, json_type_array) &&
	    json_object_array_length(list) <= LINKS_MAX)
		return list;
	json_object_put(list);
	error_set(err, "'ip -json' does not print what it should");
	return NULL;
}

static void add_address(struct netns_link *link, json_object *item)
{
	const char *local = json_find_text(item, "local");
	const char *scope = json_find_text(item, "scope");
	struct error ignored;
	int64_t length;

	if (local != NULL && scope != NULL && strcmp(scope, "link") != 0 &&
	    json_get_number(item, "prefixlen", 0, 128, &length, &ignored) == 0)
		words_format(&link->addresses, "%s/%d", local, (int)length);
}

/* The other end of a pair is the node's device that has this one's number as its other end's. */
static void find_outer(struct netns_link *link, json_object *item, json_object *nodes)
{
	struct error ignored;
	int64_t own;
	int64_t peer;

	if (json_get_number(item, "ifindex", 1, INDEX_MAX, &own, &ignored) < 0 ||
	    json_get_number(item, "link_index", 1, INDEX_MAX, &peer, &ignored) < 0 ||
	    !json_object_object_get_ex(item, "link_netnsid", NULL))
		return;
	for (size_t i = 0; i < json_object_array_length(nodes); i++) {
		json_object *node = json_object_array_get_idx(nodes, i);
		const char *name = json_find_text(node, "ifname");
		const char *bridge = json_find_text(node, "master");
		int64_t index;
		int64_t other;

		if (name == NULL ||
		    json_get_number(node, "ifindex", 1, INDEX_MAX, &index, &ignored) < 0 ||
		    json_get_number(node, "link_index", 1, INDEX_MAX, &other, &ignored) < 0 ||
		    !json_object_object_get_ex(node, "link_netnsid", NULL) || index != peer ||
		    other != own)
			continue;
		link->outer = memory_duplicate(name);
		link->bridge = bridge != NULL ? memory_duplicate(bridge) : NULL;
		return;
	}
}

static bool is_loopback(json_object *item)
{
	const char *type = json_find_text(item, "link_type");

	return type != NULL && strcmp(type, "loopback") == 0;
}

static bool is_up(json_object *item)
{
	json_object *flags = NULL;

	if (!json_object_object_get_ex(item, "flags", &flags) ||
	    !json_object_is_type(flags, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(flags); i++) {
		const char *flag = json_object_get_string(json_object_array_get_idx(flags, i));

		if (flag != NULL && strcmp(flag, "UP") == 0)
			return true;
	}
	return false;
}

/* The kernel's own devices for tunnels are in every namespace, down and without an address. */
static bool is_unused(json_object *item, const struct netns_link *link)
{
	return strcmp(link->kind, "veth") != 0 && !is_up(item) && link->addresses.count == 0;
}

static int read_link(json_object *item, json_object *nodes, struct netns_link *link,
		     struct error *err)
{
	const char *name = json_get_text(item, "ifname", IFNAMSIZ - 1, err);
	const char *mac = json_find_text(item, "address");
	const char *kind = NULL;
	json_object *info = NULL;
	json_object *addresses;
	int64_t mtu;

	if (name == NULL || json_get_number(item, "mtu", 0, MTU_MAX, &mtu, err) < 0)
		return -1;
	if (json_object_object_get_ex(item, "linkinfo", &info))
		kind = json_find_text(info, "info_kind");
	link->name = memory_duplicate(name);
	link->kind = memory_duplicate(kind != NULL ? kind : "");
	link->mac = mac != NULL ? memory_duplicate(mac) : NULL;
	link->mtu = (int)mtu;
	addresses = json_get_array(item, "addr_info", LINKS_MAX, err);
	if (addresses == NULL)
		return -1;
	for (size_t i = 0; i < json_object_array_length(addresses); i++)
		add_address(link, json_object_array_get_idx(addresses, i));
	find_outer(link, item, nodes);
	return 0;
}

static int read_links(const char *name, struct netns_links *links, struct error *err)
{
	CLEANUP(json_release)
	json_object *inside = ask_ip((const char *const[]){ "ip", "-n", name, "-json", "-details",
							    "address", "show", NULL },
				     err);
	CLEANUP(json_release) json_object *nodes = NULL;
	size_t count;

	if (inside == NULL)
		return -1;
	nodes = ask_ip((const char *const[]){ "ip", "-json", "link", "show", NULL }, err);
	if (nodes == NULL)
		return -1;
	count = json_object_array_length(inside);
	links->items = memory_allocate(count, sizeof(*links->items));
	for (size_t i = 0; i < count; i++) {
		json_object *item = json_object_array_get_idx(inside, i);

		/* ip prints an empty object for what vanished meanwhile. */
		if (is_loopback(item) || !json_object_object_get_ex(item, "ifname", NULL))
			continue;
		if (read_link(item, nodes, &links->items[links->count++], err) < 0)
			return -1;
		if (is_unused(item, &links->items[links->count - 1]))
			netns_link_release(&links->items[--links->count]);
	}
	return 0;
}

static bool is_state(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(route_states); i++)
		if (strcmp(word, route_states[i]) == 0)
			return true;
	return false;
}

/* The kernel makes these with the address, or learns them from a router. */
static bool is_made_by_itself(const char *line)
{
	static const char *const marks[] = { "proto kernel", "table local", "proto ra",
					     "proto redirect" };

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (strstr(line, marks[i]) != NULL)
			return true;
	return false;
}

/* One route, without the words that only tell of its state. */
static void add_route(struct words *routes, const char *family, char *line)
{
	CLEANUP(text_release) struct text route = { 0 };
	char *rest = line;

	if (is_made_by_itself(line))
		return;
	text_format(&route, "%s", family);
	for (char *word; (word = strsep(&rest, " \t")) != NULL;)
		if (*word != '\0' && !is_state(word))
			text_format(&route, " %s", word);
	words_add(routes, text_string(&route));
}

static int read_routes(const char *name, const char *family, struct words *routes,
		       struct error *err)
{
	const char *const argv[] = { "ip",    "-n",   name,    "-family", family,
				     "route", "show", "table", "all",	  NULL };
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };
	CLEANUP(text_release) struct text output = { 0 };
	char *rest;

	if (process_run(&options, IP_TIMEOUT_MS, &output, err) < 0)
		return -1;
	/* The hops of a route with several ways are lines of their own, set in. */
	text_append(&output, "", 0);
	for (char *at = strstr(output.bytes, "\n\t"); at != NULL; at = strstr(at, "\n\t"))
		*at = ' ';
	rest = output.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		if (*text_strip(line) != '\0')
			add_route(routes, family, line);
	return 0;
}

int netns_read(const char *path, struct netns_links *links, struct words *routes, struct error *err)
{
	const char *name = netns_name(path);

	if (name == NULL)
		return error_set(err, "'%s' is no network namespace of /run/netns", path);
	if (read_links(name, links, err) == 0 && read_routes(name, "inet", routes, err) == 0 &&
	    read_routes(name, "inet6", routes, err) == 0)
		return 0;
	netns_release(links);
	return error_context(err, "cannot read the network namespace '%s'", name);
}
