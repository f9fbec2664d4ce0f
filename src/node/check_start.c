// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for starting the container that has arrived, and knowing how that ended. */
#include "base/log.h"
#include "base/memory.h"
#include "node/check.h"

int check_start(struct host *host, struct error *err)
{
	CLEANUP(container_release) struct container now = { 0 };
	struct error failure;

	/* Told twice, since the first answer was lost. */
	if (host->runtime->describe(host->container.id, &now, &failure) == 1 &&
	    now.state == CONTAINER_RUNNING)
		return 1;
	container_release(&now);
	if (host->runtime->start(&host->container, err) == 0)
		return 1;
	/* It failed, so nothing of it may be left: a half-started one is stopped. */
	if (host->runtime->stop(&host->container, 0, &failure) < 0)
		log_debug("%s", failure.text);
	if (host->runtime->describe(host->container.id, &now, &failure) < 0 ||
	    now.state != CONTAINER_STOPPED)
		return -1;
	return 0;
}
