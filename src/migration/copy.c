// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what is copied in which pass. */
#include "migration/copy.h"
#include "system/rsync.h"

static struct rsync_job job_for(struct migration *migration, enum traffic traffic,
				struct progress *progress)
{
	progress_begin(progress, traffic_names[traffic], 0);
	return (struct rsync_job){
		.connection = &migration->session->connection,
		.sudo = session_needs_sudo(migration->session),
		.progress = progress,
		.sent = &migration->sent[traffic],
	};
}

static int copy_areas(struct migration *migration, enum traffic traffic, bool changing,
		      struct error *err)
{
	struct progress progress;
	struct rsync_job job = job_for(migration, traffic, &progress);

	job.extra = &migration->options->rsync;
	job.changing = changing;
	if (traffic == TRAFFIC_FILES)
		job.bandwidth_limit = migration->options->bandwidth_limit;
	for (size_t i = 0; i < migration->areas.count; i++) {
		job.source = migration->areas.items[i].source;
		job.target = migration->areas.items[i].staging;
		job.except = migration->areas.items[i].except;
		if (rsync_copy(&job, err) < 0)
			return -1;
		progress_part(&progress);
	}
	progress_end(&progress);
	return 0;
}

int copy_files(struct migration *migration, struct error *err)
{
	return copy_areas(migration, TRAFFIC_FILES, migration->container.state != CONTAINER_STOPPED,
			  err);
}

int copy_last(struct migration *migration, struct error *err)
{
	return copy_areas(migration, TRAFFIC_CHANGES, false, err);
}

int copy_images(struct migration *migration, struct error *err)
{
	struct progress progress;
	struct rsync_job job = job_for(migration, TRAFFIC_MEMORY, &progress);

	job.images = true;
	job.source = migration->host.images;
	job.target = migration->images;
	if (rsync_copy(&job, err) < 0)
		return -1;
	progress_end(&progress);
	return 0;
}
