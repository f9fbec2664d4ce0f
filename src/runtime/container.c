// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the container as a value: release, copy, its id, its root's ids. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/container.h"

#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-"

/* So much of a path's last component is in its key: for people, the number tells them apart. */
#define KEY_TAIL_MAX 32

static const char *const state_names[] = {
	[CONTAINER_STOPPED] = "stopped",
	[CONTAINER_RUNNING] = "running",
	[CONTAINER_FROZEN] = "frozen",
};

const char *container_state_name(enum container_state state)
{
	return (size_t)state < COUNT_OF(state_names) ? state_names[state] : "unknown";
}

static void release_device(struct network_device *device)
{
	free(device->type);
	free(device->name);
	free(device->bridge);
	free(device->host_name);
	free(device->mac);
	words_release(&device->addresses);
}

void container_release(struct container *container)
{
	free(container->id);
	free(container->runtime);
	free(container->hostname);
	free(container->directory);
	free(container->private_area);
	free(container->root);
	free(container->ranges);
	for (size_t i = 0; i < container->device_count; i++)
		release_device(&container->devices[i]);
	free(container->devices);
	words_release(&container->includes);
	words_release(&container->mount_sources);
	free(container->network_namespace);
	words_release(&container->routes);
	*container = (struct container){ 0 };
}

static char *copy_text(const char *text)
{
	return text != NULL ? memory_duplicate(text) : NULL;
}

static void copy_device(struct network_device *to, const struct network_device *from)
{
	to->type = copy_text(from->type);
	to->name = copy_text(from->name);
	to->bridge = copy_text(from->bridge);
	to->host_name = copy_text(from->host_name);
	to->mac = copy_text(from->mac);
	to->mtu = from->mtu;
	words_extend(&to->addresses, &from->addresses);
}

void container_copy(struct container *to, const struct container *from)
{
	struct container copy = {
		.id = copy_text(from->id),
		.runtime = copy_text(from->runtime),
		.state = from->state,
		.hostname = copy_text(from->hostname),
		.directory = copy_text(from->directory),
		.private_area = copy_text(from->private_area),
		.root = copy_text(from->root),
		.init_pid = from->init_pid,
		.range_count = from->range_count,
		.device_count = from->device_count,
		.network_namespace = copy_text(from->network_namespace),
	};

	if (from->range_count > 0) {
		copy.ranges = memory_allocate(from->range_count, sizeof(*copy.ranges));
		memcpy(copy.ranges, from->ranges, from->range_count * sizeof(*copy.ranges));
	}
	if (from->device_count > 0)
		copy.devices = memory_allocate(from->device_count, sizeof(*copy.devices));
	for (size_t i = 0; i < from->device_count; i++)
		copy_device(&copy.devices[i], &from->devices[i]);
	words_extend(&copy.includes, &from->includes);
	words_extend(&copy.mount_sources, &from->mount_sources);
	words_extend(&copy.routes, &from->routes);
	*to = copy;
}

static int check_path(const char *path, struct error *err)
{
	char shown[CONTAINER_ID_MAX + 1];

	text_printable(shown, sizeof(shown), path, strlen(path));
	if (strlen(path) > CONTAINER_PATH_MAX)
		return error_exit(err, EXIT_USAGE, "the path '%s...' is longer than %d characters",
				  shown, CONTAINER_PATH_MAX);
	if (!file_path_is_plain(path))
		return error_exit(err, EXIT_USAGE,
				  "'%s' is not a path without '.', '..' and double or final '/'",
				  shown);
	for (const char *at = path; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return error_exit(err, EXIT_USAGE,
					  "the path '%s' has characters that are not printable",
					  shown);
	return 0;
}

int container_check_id(const char *id, struct error *err)
{
	char shown[CONTAINER_ID_MAX + 1];
	size_t length = strlen(id);

	if (id[0] == '/')
		return check_path(id, err);
	text_printable(shown, sizeof(shown), id, length);
	if (length == 0)
		return error_exit(err, EXIT_USAGE, "the id of a container cannot be empty");
	if (length > CONTAINER_ID_MAX)
		return error_exit(err, EXIT_USAGE,
				  "the container id '%s...' is longer than %d characters", shown,
				  CONTAINER_ID_MAX);
	if (id[0] == '.' || id[0] == '-')
		return error_exit(err, EXIT_USAGE, "the container id '%s' begins with '%c'", shown,
				  id[0]);
	if (id[strspn(id, ID_CHARACTERS)] != '\0')
		return error_exit(err, EXIT_USAGE,
				  "the container id '%s' has characters other than letters, "
				  "digits, '_', '.', '+' and '-'",
				  shown);
	return 0;
}

/* Would the character continue the id next to it? Digits continue digits, words continue words. */
static bool continues(char character, char next_to)
{
	if (isdigit((unsigned char)next_to))
		return isdigit((unsigned char)character);
	return isalnum((unsigned char)character);
}

char *container_rename(const char *text, const char *id, const char *new_id)
{
	size_t length = strlen(id);
	struct text renamed = { 0 };

	text_append(&renamed, "", 0);
	for (const char *at = text; *at != '\0';) {
		bool matches = strncmp(at, id, length) == 0 &&
			       (at == text || !continues(at[-1], id[0])) &&
			       !continues(at[length], id[length - 1]);

		text_append(&renamed, matches ? new_id : at, matches ? strlen(new_id) : 1);
		at += matches ? length : 1;
	}
	return text_take(&renamed);
}

/* FNV-1a. */
static uint64_t path_number(const char *path)
{
	uint64_t hash = 14695981039346656037U;

	for (; *path != '\0'; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211U;
	return hash;
}

char *container_key(const char *id)
{
	char tail[KEY_TAIL_MAX + 1];
	size_t length = 0;

	if (id[0] != '/')
		return memory_duplicate(id);
	for (const char *at = strrchr(id, '/') + 1; *at != '\0' && length < KEY_TAIL_MAX; at++)
		if (strchr(ID_CHARACTERS, *at) != NULL)
			tail[length++] = *at;
	tail[length] = '\0';
	return memory_format("path+%016" PRIx64 "+%s", path_number(id), tail);
}

/* Where the container's id 0 is on the node; without a map it is the node's own. */
static uint32_t outside_of_root(const struct container *container, bool group)
{
	for (size_t i = 0; i < container->range_count; i++)
		if (container->ranges[i].group == group && container->ranges[i].inside == 0)
			return container->ranges[i].outside;
	return 0;
}

uid_t container_root_uid(const struct container *container)
{
	return outside_of_root(container, false);
}

gid_t container_root_gid(const struct container *container)
{
	return outside_of_root(container, true);
}
