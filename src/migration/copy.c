// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what is copied in which pass. */
#include "migration/copy.h"
#include "system/rsync.h"

static struct rsync_job job_for(struct migration *migration)
{
	return (struct rsync_job){
		.connection = &migration->session->connection,
		.sudo = session_needs_sudo(migration->session),
	};
}

static int copy_areas(struct migration *migration, bool changing, struct error *err)
{
	struct rsync_job job = job_for(migration);

	job.extra = &migration->options->rsync;
	job.changing = changing;
	for (size_t i = 0; i < migration->areas.count; i++) {
		job.source = migration->areas.items[i].source;
		job.target = migration->areas.items[i].staging;
		job.except = migration->areas.items[i].except;
		if (rsync_copy(&job, err) < 0)
			return -1;
	}
	return 0;
}

int copy_files(struct migration *migration, struct error *err)
{
	return copy_areas(migration, migration->container.state != CONTAINER_STOPPED, err);
}

int copy_last(struct migration *migration, struct error *err)
{
	return copy_areas(migration, false, err);
}

int copy_images(struct migration *migration, struct error *err)
{
	struct rsync_job job = job_for(migration);

	job.images = true;
	job.source = migration->host.images;
	job.target = migration->images;
	return rsync_copy(&job, err);
}
