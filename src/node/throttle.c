// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for slowing the source's container down, and for putting that back. */
#include "base/json.h"
#include "base/memory.h"
#include "node/throttle.h"
#include "node/undo.h"
#include "system/cgroup.h"
#include "system/cgroup_cpu.h"

#define LIMIT_TEXT_MAX 64

/* What it was allowed before is in the journal, from the first time on. */
static int note_limit(struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *cgroup = NULL;
	CLEANUP(memory_release) char *limit = NULL;
	json_object *arguments;

	if (cgroup_find(host->container.init_pid, "cpu", &cgroup, err) < 0)
		return -1;
	limit = cgroup_cpu_read(cgroup, err);
	if (limit == NULL)
		return -1;
	arguments = json_object_new_object();
	json_add_text(arguments, "cgroup", cgroup);
	json_add_text(arguments, "limit", limit);
	return undo_push(host, UNDO_TEMPORARY, undo_throttle, arguments, err);
}

int throttle_set(struct host *host, int percent, struct error *err)
{
	json_object *noted = undo_find(&host->journal, undo_throttle);
	const char *cgroup;
	const char *limit;

	if (noted == NULL && note_limit(host, err) < 0)
		return -1;
	noted = undo_find(&host->journal, undo_throttle);
	cgroup = json_get_path(noted, "cgroup", err);
	limit = cgroup != NULL ? json_get_text(noted, "limit", LIMIT_TEXT_MAX, err) : NULL;
	return limit == NULL ? -1 : cgroup_cpu_limit(cgroup, limit, percent, err);
}

int throttle_end(struct host *host, struct error *err)
{
	json_object *noted = undo_find(&host->journal, undo_throttle);

	return noted == NULL ? 0 : throttle_undo(host, noted, err);
}

int throttle_undo(struct host *host, json_object *arguments, struct error *err)
{
	const char *cgroup = json_get_path(arguments, "cgroup", err);
	const char *limit =
		cgroup != NULL ? json_get_text(arguments, "limit", LIMIT_TEXT_MAX, err) : NULL;

	(void)host;
	return limit == NULL ? -1 : cgroup_cpu_put_back(cgroup, limit, err);
}
