// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for stopping and pausing the source's container where criu has no part in it. */
#include <stdlib.h>

#include "base/json.h"
#include "base/wait.h"
#include "node/halt.h"
#include "node/undo.h"
#include "system/cgroup.h"

#define FREEZE_LIMIT_MS 10000

int halt_stop(struct host *host, int grace_seconds, struct error *err)
{
	struct error ignored;

	if (undo_push(host, UNDO_FAILURE, undo_start, json_object_new_object(), err) < 0)
		return -1;
	if (host->runtime->stop(&host->container, grace_seconds, err) == 0)
		return 0;
	/* A shutdown that has begun cannot be called back: it is led to its end, so that the
	 * container can be started again. */
	if (err->exit_status == EXIT_INTERRUPTED) {
		wait_shield();
		host->runtime->stop(&host->container, grace_seconds, &ignored);
		wait_unshield();
	}
	return -1;
}

int halt_pause(struct host *host, struct error *err)
{
	json_object *arguments;

	free(host->freezer);
	host->freezer = NULL;
	if (cgroup_find_freezer(host->container.init_pid, &host->freezer, err) < 0)
		return -1;
	arguments = json_object_new_object();
	json_add_text(arguments, "freezer", host->freezer);
	if (undo_push(host, UNDO_FAILURE, undo_unpause, arguments, err) < 0)
		return -1;
	return cgroup_freeze(host->freezer, FREEZE_LIMIT_MS, err);
}

int halt_unpause(struct host *host, struct error *err)
{
	return cgroup_thaw(host->freezer, err);
}
