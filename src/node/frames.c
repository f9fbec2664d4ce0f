// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what becomes of the frames that were kept while a container stood still. */
#include "base/log.h"
#include "base/memory.h"
#include "node/frames.h"

void frames_keep(struct host *host, pid_t pid, enum held_direction direction)
{
	struct error failure;

	descriptor_close(&host->frames);
	host->frames = held_frames_begin(pid, direction, &failure);
	if (host->frames < 0)
		log_debug("what is sent while the container stands still is lost: %s",
			  failure.text);
}

void frames_repeat(const struct host *host)
{
	if (host->frames >= 0)
		log_debug("%zu frames are sent again", held_frames_repeat(host->frames));
}

void frames_forward(const struct host *host)
{
	const struct container *container = &host->container;
	struct held_device devices[HELD_DEVICES_MAX];
	struct error failure;
	size_t count = 0;
	int sent;

	if (host->frames < 0)
		return;
	for (size_t i = 0; i < container->device_count && count < COUNT_OF(devices); i++)
		if (container->devices[i].name != NULL && container->devices[i].bridge != NULL)
			devices[count++] = (struct held_device){
				.name = container->devices[i].name,
				.bridge = container->devices[i].bridge,
			};
	sent = held_frames_forward(host->frames, devices, count, &failure);
	if (sent < 0)
		log_debug("%s", failure.text);
	else
		log_debug("%d frames came while it stood still, and were sent on", sent);
}
