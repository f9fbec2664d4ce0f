// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for starting the container that has arrived, and knowing how that ended. */
#include "base/log.h"
#include "base/memory.h"
#include "node/check.h"

int check_stopped(struct host *host, struct error *err)
{
	CLEANUP(container_release) struct container now = { 0 };

	if (host->runtime->describe(host->container.id, &now, err) < 0)
		return -1;
	return now.id != NULL && now.state != CONTAINER_STOPPED;
}

int check_start(struct host *host, struct error *err)
{
	struct error failure;

	/* Told twice, since the first answer was lost. */
	if (check_stopped(host, &failure) == 1 || host->runtime->start(&host->container, err) == 0)
		return 1;
	/* It failed, so nothing of it may be left: a half-started one is stopped. */
	if (host->runtime->stop(&host->container, 0, &failure) < 0)
		log_debug("%s", failure.text);
	return check_stopped(host, &failure) == 0 ? 0 : -1;
}

int check_start_if_ended(struct host *host, const char *why, struct error *err)
{
	CLEANUP(container_release) struct container now = { 0 };

	if (host->runtime->describe(host->container.id, &now, err) < 0)
		return -1;
	if (!runtime_has_ended(host->runtime, &now))
		return 0;
	log_warning("container '%s' %s: it is started again from its files", host->container.id,
		    why);
	if (host->runtime->unfence(&host->container, err) < 0)
		return -1;
	return host->runtime->start(&host->container, err);
}
