// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for deciding where on the destination a container will live. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "migration/plan.h"

void plan_target(struct container *target, const struct container *container, const char *id,
		 const char *home)
{
	char *directory = memory_format("%s/%s", home, id);

	container_release(target);
	container_copy(target, container);
	if (file_path_below(container->private_area, container->directory)) {
		free(target->private_area);
		target->private_area = memory_format(
			"%s%s", directory, container->private_area + strlen(container->directory));
	}
	free(target->directory);
	target->directory = directory;
	free(target->id);
	target->id = memory_duplicate(id);
	target->state = CONTAINER_STOPPED;
	target->init_pid = 0;
}

char *plan_name(const char *id)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	return memory_format("%s-%" PRId64 "-%08" PRIx32, id, (int64_t)time(NULL), random);
}
