// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the form in which a container crosses the wire, and for distrusting it. */
#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "runtime/container.h"

/* The kernel takes at most 340 lines of an id map, for users and for groups. */
#define RANGES_MAX 680
#define DEVICES_MAX 64
#define WORDS_MAX 1024
#define HOSTNAME_LENGTH_MAX 255
#define WORD_LENGTH_MAX 64
#define ROUTE_LENGTH_MAX 512
#define MTU_MAX 65536

static json_object *range_to_json(const struct id_range *range)
{
	json_object *object = json_object_new_object();

	json_add_flag(object, "group", range->group);
	json_add_number(object, "inside", range->inside);
	json_add_number(object, "outside", range->outside);
	json_add_number(object, "count", range->count);
	return object;
}

static json_object *device_to_json(const struct network_device *device)
{
	json_object *object = json_object_new_object();

	json_add_text(object, "type", device->type);
	json_add_text(object, "name", device->name);
	json_add_text(object, "bridge", device->bridge);
	json_add_text(object, "host_name", device->host_name);
	json_add_text(object, "mac", device->mac);
	json_add_number(object, "mtu", device->mtu);
	json_add_words(object, "addresses", &device->addresses);
	return object;
}

json_object *container_to_json(const struct container *container)
{
	json_object *object = json_object_new_object();
	json_object *ranges = json_object_new_array();
	json_object *devices = json_object_new_array();

	json_add_text(object, "id", container->id);
	json_add_text(object, "runtime", container->runtime);
	json_add_text(object, "state", container_state_name(container->state));
	json_add_text(object, "hostname", container->hostname);
	json_add_text(object, "directory", container->directory);
	json_add_text(object, "private_area", container->private_area);
	json_add_text(object, "root", container->root);
	json_add_number(object, "init_pid", container->init_pid);
	for (size_t i = 0; i < container->range_count; i++)
		json_object_array_add(ranges, range_to_json(&container->ranges[i]));
	json_object_object_add(object, "ranges", ranges);
	for (size_t i = 0; i < container->device_count; i++)
		json_object_array_add(devices, device_to_json(&container->devices[i]));
	json_object_object_add(object, "devices", devices);
	json_add_words(object, "includes", &container->includes);
	json_add_words(object, "mount_sources", &container->mount_sources);
	json_add_text(object, "network_namespace", container->network_namespace);
	json_add_words(object, "routes", &container->routes);
	return object;
}

/* Does the text fit its place? */
typedef bool text_rule(const char *text);

static bool only_of(const char *text, const char *characters)
{
	return *text != '\0' && text[strspn(text, characters)] == '\0';
}

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool is_id(const char *text)
{
	struct error ignored;

	return container_check_id(text, &ignored) == 0;
}

static bool is_word(const char *text)
{
	return strlen(text) <= WORD_LENGTH_MAX &&
	       only_of(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

static bool is_hostname(const char *text)
{
	return strlen(text) <= HOSTNAME_LENGTH_MAX && is_printable(text);
}

/* What the kernel takes as a name, and what is safe in a file name and a criu option. */
static bool is_link_name(const char *text)
{
	return *text != '\0' && strlen(text) < IFNAMSIZ && is_printable(text) &&
	       strpbrk(text, "/ :[]@") == NULL && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static bool is_mac(const char *text)
{
	if (strlen(text) != 17)
		return false;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
			return false;
	return true;
}

static bool is_address(const char *text)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char binary[sizeof(struct in6_addr)];
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	bool six = strchr(text, ':') != NULL;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (inet_pton(six ? AF_INET6 : AF_INET, address, binary) != 1)
		return false;
	if (slash == NULL)
		return true;
	return strlen(slash + 1) <= 3 && only_of(slash + 1, "0123456789") &&
	       atoi(slash + 1) <= (six ? 128 : 32);
}

static bool is_path(const char *text)
{
	return strlen(text) < PATH_MAX && is_printable(text) && file_path_is_plain(text);
}

/* Words of ip-route(8), none of which is an option. */
static bool is_route(const char *text)
{
	if (!text_starts_with(text, "inet ") && !text_starts_with(text, "inet6 "))
		return false;
	return strlen(text) <= ROUTE_LENGTH_MAX && strstr(text, " -") == NULL &&
	       only_of(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			     "_.:/-+@ ");
}

static int bad(struct error *err, const char *name)
{
	return error_set(err, "the description of a container has a '%s' that is not valid", name);
}

/* A text that must be there and fit. */
static int get_text(json_object *object, const char *name, text_rule *rule, char **text,
		    struct error *err)
{
	const char *found = json_get_text(object, name, PATH_MAX, err);

	if (found == NULL)
		return -1;
	if (!rule(found))
		return bad(err, name);
	*text = memory_duplicate(found);
	return 0;
}

/* A text that may be missing or null, but fits when it is there. */
static int find_text(json_object *object, const char *name, text_rule *rule, char **text,
		     struct error *err)
{
	json_object *member = NULL;

	if (!json_object_object_get_ex(object, name, &member) || member == NULL)
		return 0;
	return get_text(object, name, rule, text, err);
}

static int get_words(json_object *object, const char *name, text_rule *rule, struct words *words,
		     struct error *err)
{
	if (json_get_words(object, name, WORDS_MAX, words, err) < 0)
		return -1;
	for (size_t i = 0; i < words->count; i++)
		if (!rule(words->items[i]))
			return bad(err, name);
	return 0;
}

static int get_range(json_object *object, struct id_range *range, struct error *err)
{
	int64_t inside;
	int64_t outside;
	int64_t count;

	if (json_get_number(object, "inside", 0, UINT32_MAX - 1, &inside, err) < 0 ||
	    json_get_number(object, "outside", 0, UINT32_MAX - 1, &outside, err) < 0 ||
	    json_get_number(object, "count", 1, UINT32_MAX, &count, err) < 0)
		return -1;
	if (inside + count > UINT32_MAX || outside + count > UINT32_MAX)
		return bad(err, "ranges");
	range->group = json_find_flag(object, "group");
	range->inside = (uint32_t)inside;
	range->outside = (uint32_t)outside;
	range->count = (uint32_t)count;
	return 0;
}

static int get_device(json_object *object, struct network_device *device, struct error *err)
{
	int64_t mtu;

	if (get_text(object, "type", is_word, &device->type, err) < 0 ||
	    get_text(object, "name", is_link_name, &device->name, err) < 0 ||
	    find_text(object, "bridge", is_link_name, &device->bridge, err) < 0 ||
	    find_text(object, "host_name", is_link_name, &device->host_name, err) < 0 ||
	    find_text(object, "mac", is_mac, &device->mac, err) < 0 ||
	    json_get_number(object, "mtu", 0, MTU_MAX, &mtu, err) < 0)
		return -1;
	device->mtu = (int)mtu;
	return get_words(object, "addresses", is_address, &device->addresses, err);
}

static int get_ranges(json_object *object, struct container *container, struct error *err)
{
	json_object *list = json_get_array(object, "ranges", RANGES_MAX, err);
	size_t count;

	if (list == NULL)
		return -1;
	count = json_object_array_length(list);
	container->ranges = memory_allocate(count, sizeof(*container->ranges));
	container->range_count = count;
	for (size_t i = 0; i < count; i++)
		if (get_range(json_object_array_get_idx(list, i), &container->ranges[i], err) < 0)
			return -1;
	return 0;
}

static int get_devices(json_object *object, struct container *container, struct error *err)
{
	json_object *list = json_get_array(object, "devices", DEVICES_MAX, err);
	size_t count;

	if (list == NULL)
		return -1;
	count = json_object_array_length(list);
	container->devices = memory_allocate(count, sizeof(*container->devices));
	container->device_count = count;
	for (size_t i = 0; i < count; i++)
		if (get_device(json_object_array_get_idx(list, i), &container->devices[i], err) < 0)
			return -1;
	return 0;
}

static int get_state(json_object *object, enum container_state *state, struct error *err)
{
	const char *name = json_get_text(object, "state", WORD_LENGTH_MAX, err);

	if (name == NULL)
		return -1;
	for (int i = CONTAINER_STOPPED; i <= CONTAINER_FROZEN; i++) {
		if (strcmp(name, container_state_name((enum container_state)i)) != 0)
			continue;
		*state = (enum container_state)i;
		return 0;
	}
	return bad(err, "state");
}

static int fill(struct container *container, json_object *object, struct error *err)
{
	int64_t pid;

	if (get_text(object, "id", is_id, &container->id, err) < 0 ||
	    get_text(object, "runtime", is_word, &container->runtime, err) < 0 ||
	    get_state(object, &container->state, err) < 0 ||
	    find_text(object, "hostname", is_hostname, &container->hostname, err) < 0 ||
	    get_text(object, "directory", is_path, &container->directory, err) < 0 ||
	    get_text(object, "private_area", is_path, &container->private_area, err) < 0 ||
	    find_text(object, "root", is_path, &container->root, err) < 0 ||
	    json_get_number(object, "init_pid", 0, INT32_MAX, &pid, err) < 0)
		return -1;
	container->init_pid = (pid_t)pid;
	if (get_ranges(object, container, err) < 0 || get_devices(object, container, err) < 0 ||
	    get_words(object, "includes", is_path, &container->includes, err) < 0 ||
	    find_text(object, "network_namespace", is_path, &container->network_namespace, err) <
		    0 ||
	    get_words(object, "routes", is_route, &container->routes, err) < 0)
		return -1;
	return get_words(object, "mount_sources", is_path, &container->mount_sources, err);
}

int container_from_json(struct container *container, json_object *object, struct error *err)
{
	CLEANUP(container_release) struct container filled = { 0 };

	if (fill(&filled, object, err) < 0)
		return -1;
	*container = filled;
	filled = (struct container){ 0 };
	return 0;
}
