// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding out which way a container's memory can go on this node. */
#include "node/checkpoint.h"
#include "node/memory_way.h"
#include "system/memory_track.h"
#include "system/userfault_probe.h"

void memory_way_find(const struct host *host, bool destination, struct memory_way *way)
{
	*way = (struct memory_way){ 0 };
	if (destination || host->runtime->dump_wants_userfault)
		userfault_possible(&way->lacks);
	if (!destination)
		way->untracked = memory_track_probe() == TRACK_NOTHING;
}

int memory_way_prepare(struct host *host, struct memory_way *way, struct error *err)
{
	bool destination = host_is_destination(host);

	memory_way_find(host, destination, way);
	if (!destination || way->lacks.exit_status != 0)
		return 0;
	return checkpoint_prepare_memory(host, err);
}

void check_iterations(const struct check_subject *subject, struct verdicts *verdicts)
{
	const char *id = subject->host->container.id;
	struct memory_way way;

	memory_way_find(subject->host, subject->destination, &way);
	if (way.lacks.exit_status != 0 && subject->iterations_only)
		verdict_refuse(verdicts, EXIT_TECHNOLOGIES, "%.400s; leave out --require-realtime",
			       way.lacks.text);
	else if (way.lacks.exit_status != 0)
		verdict_remark(
			verdicts,
			"the memory of container '%s' is copied while it stands still: %.400s", id,
			way.lacks.text);
	else if (way.untracked)
		verdict_remark(
			verdicts,
			"the kernel of this node cannot tell which memory changes, so all of "
			"it is compared while container '%s' stands still",
			id);
}
