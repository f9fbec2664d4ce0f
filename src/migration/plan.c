// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for deciding where on the destination a container will live, and as what. */
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "migration/plan.h"

/* The path with each component that is the id replaced. The caller frees. */
static char *rename_path(const char *path, const char *id, const char *new_id)
{
	CLEANUP(memory_release) char *copy = memory_duplicate(path + 1);
	struct text renamed = { 0 };
	char *rest = copy;

	for (char *part; (part = strsep(&rest, "/")) != NULL;)
		text_format(&renamed, "/%s", strcmp(part, id) == 0 ? new_id : part);
	return text_take(&renamed);
}

static void replace(char **text, char *value)
{
	free(*text);
	*text = value;
}

static void rename_devices(struct container *target, const char *id, const char *new_id)
{
	for (size_t i = 0; i < target->device_count; i++) {
		struct network_device *device = &target->devices[i];

		if (device->host_name != NULL)
			replace(&device->host_name,
				container_rename(device->host_name, id, new_id));
	}
}

static int check_names(const struct container *target, struct error *err)
{
	for (size_t i = 0; i < target->device_count; i++) {
		const char *name = target->devices[i].host_name;

		if (name != NULL && strlen(name) >= IFNAMSIZ)
			return error_exit(err, EXIT_USAGE,
					  "the network device '%s' of container '%s' would be "
					  "called '%s', which is too long: choose a shorter id",
					  target->devices[i].name, target->id, name);
	}
	return 0;
}

static void place_private_area(struct container *target, const struct container *container,
			       const struct migration_request *request, const char *directory)
{
	const char *area = container->private_area;

	if (request->private_area != NULL)
		replace(&target->private_area, memory_duplicate(request->private_area));
	else if (file_path_below(area, container->directory))
		replace(&target->private_area,
			memory_format("%s%s", directory, area + strlen(container->directory)));
	else
		replace(&target->private_area, rename_path(area, container->id, target->id));
}

/* A directory that moves by itself cannot be put into another one that does: both are staged. */
static int check_places(const struct container *target, const struct container *container,
			struct error *err)
{
	if (!file_path_below(target->private_area, target->directory) ||
	    file_path_below(container->private_area, container->directory))
		return 0;
	return error_exit(err, EXIT_USAGE,
			  "the private area of container '%s' cannot be '%s', inside of '%s': "
			  "choose one elsewhere",
			  container->id, target->private_area, target->directory);
}

int plan_target(struct container *target, const struct container *container,
		const struct migration_request *request, const char *directory, struct error *err)
{
	const char *id = request->new_id != NULL ? request->new_id : container->id;

	container_release(target);
	container_copy(target, container);
	replace(&target->id, memory_duplicate(id));
	place_private_area(target, container, request, directory);
	replace(&target->directory, memory_duplicate(directory));
	if (request->root != NULL)
		replace(&target->root, memory_duplicate(request->root));
	else if (target->root != NULL)
		replace(&target->root, rename_path(container->root, container->id, id));
	if (target->hostname != NULL)
		replace(&target->hostname,
			container_rename(container->hostname, container->id, id));
	rename_devices(target, container->id, id);
	target->state = CONTAINER_STOPPED;
	target->init_pid = 0;
	return check_names(target, err) < 0 ? -1 : check_places(target, container, err);
}

char *plan_name(const char *id)
{
	CLEANUP(memory_release) char *key = container_key(id);
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	return memory_format("%s-%" PRId64 "-%08" PRIx32, key, (int64_t)time(NULL), random);
}
