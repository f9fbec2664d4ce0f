// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for running the step table: order, times, and what a failure means in each
 * phase. */
#include <stdlib.h>
#include <string.h>

#include "base/failure_point.h"
#include "base/event.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/turn.h"
#include "base/wait.h"
#include "migration/migration.h"
#include "migration/settle.h"
#include "migration/steps.h"
#include "node/check.h"

const char *const traffic_names[] = {
	[TRAFFIC_FILES] = "files",
	[TRAFFIC_CHANGES] = "changes",
	[TRAFFIC_MEMORY] = "memory",
};

void migration_release(struct migration *migration)
{
	container_release(&migration->container);
	container_release(&migration->target);
	facts_release(&migration->facts);
	copy_release(&migration->copy);
	areas_release(&migration->areas);
	free(migration->images);
	free(migration->store);
	json_object_put(migration->dumped);
	json_object_put(migration->early);
	free(migration->name);
	free(migration->given_up);
	host_release(&migration->host);
	*migration = (struct migration)MIGRATION_NONE;
}

enum kind migration_kind(const struct migration *migration)
{
	const struct migration_options *options = migration->options;
	bool stopped = migration->container.state == CONTAINER_STOPPED;

	if (options->read_only)
		return stopped ? KIND_COPY : KIND_COPY_RUNNING;
	if (options->online)
		return KIND_ONLINE;
	if (stopped)
		return KIND_STOPPED;
	return options->no_start || checks_leave_stopped(&options->skipped) ? KIND_HALT
									    : KIND_RESTART;
}

bool migration_starts(const struct migration *migration)
{
	return (migration_kind(migration) & (KIND_ONLINE | KIND_RESTART)) != 0;
}

json_object *migration_areas(const struct migration *migration)
{
	json_object *arguments = json_object_new_object();

	json_object_object_add(arguments, "areas", areas_to_json(&migration->areas));
	return arguments;
}

/*
 * Both nodes put back what they did. The source first: its container must not wait while the
 * destination removes files; what is held there does not run. Its journal stays until the destination
 * has done its part, so that --recover knows whom to ask.
 */
static void put_back(struct migration *migration)
{
	struct error failure;

	if (migration->host.journal.records == NULL)
		return;
	wait_shield();
	if (node_call(&migration->source, "undo", NULL, NULL, &failure) < 0)
		log_warning("%s", failure.text);
	if (migration->stop_began > 0)
		migration->stopped_ms = wait_clock() - migration->stop_began;
	/* Nothing may write there any more. */
	copy_release(&migration->copy);
	if (migration->begun_there && settle_roll_back(migration, &failure) < 0)
		log_warning("%s could not be asked to put everything back: %s; when it can be, run "
			    "'vzmigrate --recover %s'",
			    migration->options->destination.host, failure.text, migration->id);
	else if (node_call(&migration->source, "rollback", NULL, NULL, &failure) < 0)
		log_warning("%s", failure.text);
	wait_unshield();
}

static void tell_stage(const struct step *step)
{
	json_object *fields = json_object_new_object();

	json_add_text(fields, "stage", step->name);
	json_add_text(fields, "text", step->notice);
	event_emit("stage", fields);
}

static int run_step(struct migration *migration, const struct step *step, struct error *err)
{
	int64_t started = wait_clock();
	int outcome;

	tell_stage(step);
	log_debug("step %s", step->name);
	outcome = failure_point("step", step->name, "", err);
	if (outcome == 0)
		outcome = step->run(migration, err);
	if (outcome == 0)
		outcome = failure_point("step", step->name, " done", err);
	migration->times[migration->step_count++] = (struct step_time){
		.name = step->name,
		.milliseconds = wait_clock() - started,
	};
	return outcome < 0 ? error_default(err, step->exit_status) : 0;
}

/* The destination has not answered since it was told: nobody may act on silence. */
static int unresolved(struct migration *migration, struct error *err)
{
	struct error cause = *err;

	return error_exit(
		err, EXIT_UNRESOLVED,
		"%.500s; the destination was told to take over container '%s' and has not "
		"answered, so neither node may act alone: when %s can be reached again, run "
		"'vzmigrate --recover %s'",
		cause.text, migration->id, migration->options->destination.host, migration->id);
}

static int run_steps(struct migration *migration, struct error *err)
{
	for (size_t i = 0; i < step_count; i++) {
		const struct step *step = &steps[i];
		struct error failure = { 0 };

		if (migration->options->check_only && step->phase != PHASE_CHECK)
			return 0;
		if ((step->kinds & migration_kind(migration)) == 0)
			continue;
		/* From the commit on the migration finishes, whatever signal comes. */
		if (step->phase >= PHASE_SWITCH)
			wait_shield();
		if (run_step(migration, step, &failure) < 0) {
			if (step->phase == PHASE_AFTER) {
				migration->unfinished = true;
				log_warning("container '%s' is on %s, but: %s", migration->id,
					    migration->options->destination.host, failure.text);
			} else {
				*err = failure;
				if (migration->committed)
					unresolved(migration, err);
				else
					put_back(migration);
			}
		}
		if (step->phase >= PHASE_SWITCH)
			wait_unshield();
		if (step->phase == PHASE_SWITCH)
			turn_give(migration->options->turns, TURN_STOP);
		if (err->exit_status != 0)
			return -1;
	}
	return 0;
}

int migration_run(struct migration *migration, const struct migration_options *options,
		  struct session *session, const struct migration_request *request,
		  struct error *err)
{
	int64_t started = wait_clock();
	int outcome;

	migration->options = options;
	migration->session = session;
	migration->request = request;
	migration->id = request->id;
	migration->source = (struct node){ .name = "this node", .host = &migration->host };
	*err = (struct error){ 0 };
	outcome = run_steps(migration, err);
	turn_give(options->turns, TURN_STOP);
	session_stop_agent(session);
	migration->total_ms = wait_clock() - started;
	return outcome;
}
