// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what is copied in which pass. */

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "migration/copy.h"
#include "migration/copy_memory.h"
#include "migration/migration.h"
#include "migration/steps.h"
#include "node/watch.h"

/* Bounded by what the record of changes can hold. */
#define LIST_LIMIT (256 << 20)
/* How often a pass over a changing tree is made until rsync is content with it. */
#define ATTEMPTS 5

static struct rsync_job job_for(struct migration *migration, size_t area, enum rsync_kind kind,
				bool changing)
{
	enum traffic traffic = migration->copy.last ? TRAFFIC_CHANGES : TRAFFIC_FILES;

	return (struct rsync_job){
		.connection = &migration->session->connection,
		.sudo = session_needs_sudo(migration->session),
		.source = migration->areas.items[area].source,
		.target = migration->placed ? migration->areas.items[area].final
					    : migration->areas.items[area].staging,
		.except = migration->areas.items[area].except,
		.extra = &migration->options->rsync,
		.kind = kind,
		.changing = changing,
		.bandwidth_limit = migration->copy.last ? 0 : migration->options->bandwidth_limit,
		.progress = &migration->copy.progress,
		.sent = &migration->sent[traffic],
		.remains = &migration->copy.remains[area],
	};
}

static void note_end_of_pass(struct migration *migration)
{
	migration->copy.last_pass = clock_of_day_ns();
}

static void begin_progress(struct migration *migration)
{
	progress_begin(&migration->copy.progress,
		       traffic_names[migration->copy.last ? TRAFFIC_CHANGES : TRAFFIC_FILES], 0);
}

/* One area, again where a changing tree led rsync astray. Returns 1 when it is still not certain. */
static int copy_area(struct migration *migration, size_t area, bool changing, struct error *err)
{
	struct rsync_job job = job_for(migration, area, RSYNC_ALL, changing);
	int outcome = 1;

	for (int attempt = 0; outcome == 1 && attempt < ATTEMPTS; attempt++)
		outcome = rsync_copy(&job, err);
	return outcome;
}

static int copy_everything(struct migration *migration, bool changing, struct error *err)
{
	begin_progress(migration);
	for (size_t i = 0; i < migration->areas.count; i++) {
		int outcome = copy_area(migration, i, changing, err);

		if (outcome < 0)
			return -1;
		if (outcome > 0)
			migration->copy.everything = true;
		progress_part(&migration->copy.progress);
	}
	progress_end(&migration->copy.progress);
	note_end_of_pass(migration);
	return 0;
}

int copy_watch(struct migration *migration, struct error *err)
{
	return node_call(&migration->source, "watch", migration_areas(migration), NULL, err);
}

int copy_files(struct migration *migration, struct error *err)
{
	return copy_everything(migration, migration->container.state != CONTAINER_STOPPED, err);
}

/* A list cannot leave out what is another area's. */
static bool has_exception(const struct migration *migration)
{
	for (size_t i = 0; i < migration->areas.count; i++)
		if (migration->areas.items[i].except != NULL)
			return true;
	return false;
}

/* The lists of what changed since the last call are written. Returns 1; 0 when they are not complete. */
static int collect(struct migration *migration, bool open, bool only_made, struct error *err)
{
	CLEANUP(json_release) json_object *answer = NULL;
	json_object *arguments = json_object_new_object();
	const char *refused = rsync_refuses_list(&migration->options->rsync);

	json_add_number(arguments, "last_pass", migration->copy.last_pass);
	json_add_flag(arguments, "open", open);
	json_add_flag(arguments, "again", migration->copy.again);
	json_add_flag(arguments, "only_made", only_made);
	migration->copy.again = false;
	if (node_call(&migration->source, "collect", arguments, &answer, err) < 0)
		return -1;
	if (has_exception(migration)) {
		log_debug("every pass looks at every file: one area is inside another");
		return 0;
	}
	if (refused == NULL)
		return json_find_flag(answer, "complete") ? 1 : 0;
	log_debug("every pass looks at every file: --rsync has '%s'", refused);
	return 0;
}

static int read_list(struct migration *migration, size_t area, bool compared, struct text *list,
		     struct error *err)
{
	CLEANUP(memory_release) char *path = watch_list_path(&migration->host, area, compared);

	return file_read(path, LIST_LIMIT, list, err);
}

/* Sends the paths of one list, if there are any. */
static int send_list(struct migration *migration, size_t area, bool compared, bool changing,
		     struct error *err)
{
	struct copy *copy = &migration->copy;
	struct rsync_run *run = compared ? &copy->compared[area] : &copy->listed[area];
	struct rsync_job job =
		job_for(migration, area, compared ? RSYNC_COMPARED : RSYNC_LISTED, changing);
	CLEANUP(text_release) struct text list = { 0 };
	int outcome;

	if (job.except != NULL)
		return 0;
	if (read_list(migration, area, compared, &list, err) < 0)
		return -1;
	if (list.length == 0)
		return 0;
	copy->late = migration->placed;
	/* That one would look for its target where it was. */
	if (migration->placed)
		rsync_release(run);
	outcome = rsync_is_ready(run) || rsync_start(run, &job, err) == 0
			  ? rsync_finish(run, &list, err)
			  : -1;
	rsync_release(run);
	return outcome;
}

/* First all that changed, by size and time; then what these may hide. Returns as rsync_finish(). */
static int send_changes(struct migration *migration, bool complete, bool changing,
			struct error *err)
{
	begin_progress(migration);
	for (size_t i = 0; i < migration->areas.count; i++) {
		int outcome = complete ? send_list(migration, i, false, changing, err) : 0;

		if (outcome == 0)
			outcome = send_list(migration, i, true, changing, err);
		if (outcome != 0)
			return outcome;
		progress_part(&migration->copy.progress);
	}
	progress_end(&migration->copy.progress);
	note_end_of_pass(migration);
	return 0;
}

static int start_images(struct migration *migration, struct error *err)
{
	const struct image_source source = { migration->host.images, &migration->copy.index };
	const struct image_target target = { migration->images, migration->store };

	return image_stream_start(&migration->copy.images, &migration->session->connection,
				  session_command(migration->session), &source, &target, err);
}

/* So that neither a login nor the start of a program is part of the stop. */
static int make_ready(struct migration *migration, struct error *err)
{
	for (size_t i = 0; i < migration->areas.count; i++) {
		struct rsync_job listed = job_for(migration, i, RSYNC_LISTED, false);
		struct rsync_job compared = job_for(migration, i, RSYNC_COMPARED, false);

		if (rsync_start(&migration->copy.listed[i], &listed, err) < 0 ||
		    rsync_start(&migration->copy.compared[i], &compared, err) < 0)
			return -1;
	}
	return migration->options->online ? start_images(migration, err) : 0;
}

/* A running container may do to a list what makes rsync lose its way; what was on it is then on the next
 * one, too. Returns 0 also when that is the last pass's. */
static int send_what_changed(struct migration *migration, struct error *err)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		int complete = collect(migration, false, false, err);
		int outcome;

		if (complete < 0)
			return -1;
		if (complete == 0)
			return copy_everything(migration, true, err);
		outcome = send_changes(migration, true, true, err);
		if (outcome <= 0)
			return outcome;
		migration->copy.again = true;
	}
	return 0;
}

static bool has_remains(const struct copy *copy)
{
	bool any = false;

	for (size_t i = 0; i < AREAS_MAX; i++)
		any = any || copy->remains[i];
	return any;
}

int copy_again(struct migration *migration, struct error *err)
{
	if (send_what_changed(migration, err) < 0)
		return -1;
	if (has_remains(&migration->copy) && copy_everything(migration, true, err) < 0)
		return -1;
	if (has_remains(&migration->copy))
		migration->copy.everything = true;
	migration->copy.last = true;
	return make_ready(migration, err);
}

int copy_last(struct migration *migration, struct error *err)
{
	bool online = migration->options->online;
	int complete;

	migration->copy.last = true;
	/* The changes of what goes on here are not recorded. */
	if (migration_kind(migration) == KIND_COPY_RUNNING)
		return copy_everything(migration, false, err);
	complete = collect(migration, online, false, err);
	if (complete < 0)
		return -1;
	if (migration->copy.everything)
		complete = 0;
	migration->copy.everything = complete == 0;
	if (complete == 0)
		log_debug("the last pass looks at every file");
	/* Where everything must be looked at, that is done when criu has left its own files there. */
	if (complete == 0 && online)
		return 0;
	if (complete == 0 && copy_everything(migration, false, err) < 0)
		return -1;
	return send_changes(migration, complete != 0, false, err);
}

bool copy_late_is_apart(const struct migration *migration)
{
	return !migration->copy.everything &&
	       strcmp(migration->container.private_area, migration->areas.items[0].source) != 0;
}

/* What the configuration became in its place there is not to be touched. */
static int copy_private_area(struct migration *migration, struct error *err)
{
	struct rsync_job job = job_for(migration, 0, RSYNC_ALL, false);

	job.source = migration->container.private_area;
	job.target = migration->target.private_area;
	return rsync_copy(&job, err);
}

/* criu gives a name to what has none and is used still (link_remap.*). */
static int copy_late(struct migration *migration, struct error *err)
{
	int complete = migration->copy.everything ? 0 : collect(migration, false, true, err);
	int outcome = 0;

	if (complete < 0)
		return -1;
	if (complete == 0) {
		log_debug("every file is looked at after the dump");
		migration->copy.late = migration->placed;
		outcome = migration->placed ? copy_private_area(migration, err)
					    : copy_everything(migration, false, err);
	}
	return outcome < 0 ? -1 : send_changes(migration, complete != 0, false, err);
}

int copy_images(struct migration *migration, struct error *err)
{
	struct image_traffic traffic = { 0 };

	if (copy_memory_rest(migration, err) < 0 || copy_late(migration, err) < 0)
		return -1;
	progress_begin(&migration->copy.progress, traffic_names[TRAFFIC_MEMORY], 0);
	if (image_stream_finish(&migration->copy.images, &traffic, err) < 0)
		return -1;
	copy_memory_count(migration, "images", &traffic);
	progress_set(&migration->copy.progress, migration->sent[TRAFFIC_MEMORY]);
	progress_end(&migration->copy.progress);
	return 0;
}

void copy_release(struct copy *copy)
{
	for (size_t i = 0; i < AREAS_MAX; i++) {
		rsync_release(&copy->listed[i]);
		rsync_release(&copy->compared[i]);
	}
	image_stream_release(&copy->images);
	memory_stream_release(&copy->memory);
	content_index_release(&copy->index);
}
