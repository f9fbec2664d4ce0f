// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the run of the command: options, a migration per container, exit status. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "cli/cli.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "cli/parallel.h"
#include "cli/recover.h"
#include "cli/result.h"
#include "cli/show.h"
#include "migration/migration.h"

/* No container's status yet. */
#define NOT_TRIED (-1)

static int migrate(const struct options *options, struct session *session, size_t i)
{
	CLEANUP(migration_release) struct migration migration = MIGRATION_NONE;
	const struct migration_request *request = &options->requests[i];
	struct error failure = { 0 };
	int outcome;

	show_container(request->id);
	outcome = migration_run(&migration, &options->migration, session, request, &failure);
	result_emit(&migration, outcome < 0 ? &failure : NULL);
	show_container(NULL);
	return outcome < 0 ? failure.exit_status : EXIT_OK;
}

/* In a process of its own. */
static int migrate_alone(const struct options *options, size_t i)
{
	CLEANUP(session_close) struct session session = SESSION_NONE;

	return migrate(options, &session, i);
}

static void migrate_in_turn(const struct options *options, int *statuses)
{
	CLEANUP(session_close) struct session session = SESSION_NONE;

	/* ^C means the list, not one container of it. */
	for (size_t i = 0; i < options->request_count && wait_signal() == 0; i++)
		statuses[i] = migrate(options, &session, i);
}

/* The status of the run: that of the first that failed, in the order of the command line. */
static int judge(const struct options *options, const int *statuses)
{
	int status = EXIT_OK;
	struct error failure;

	error_exit(&failure, EXIT_INTERRUPTED, "interrupted, not migrated");
	for (size_t i = 0; i < options->request_count; i++) {
		if (statuses[i] == NOT_TRIED)
			result_emit_failure(options->requests[i].id, &failure);
		if (status == EXIT_OK)
			status = statuses[i] == NOT_TRIED ? EXIT_INTERRUPTED : statuses[i];
	}
	return status;
}

static int fail(const struct error *failure)
{
	result_emit_failure(NULL, failure);
	/* Who mistypes --batch may not be a script yet. */
	if (show_is_batch())
		fprintf(stderr, "vzmigrate: %s\n", failure->text);
	return failure->exit_status != 0 ? failure->exit_status : EXIT_USAGE;
}

static void free_statuses(int **statuses)
{
	free(*statuses);
}

static int migrate_all(struct options *options)
{
	CLEANUP(free_statuses) int *statuses = NULL;
	struct error failure = { 0 };

	statuses = memory_allocate(options->request_count, sizeof(*statuses));
	for (size_t i = 0; i < options->request_count; i++)
		statuses[i] = NOT_TRIED;
	wait_catch_signals();
	if (options->parallel == 1 || options->request_count == 1) {
		migrate_in_turn(options, statuses);
	} else if (parallel_run(options, migrate_alone, statuses, &failure) < 0) {
		error_default(&failure, EXIT_RUNTIME);
		return fail(&failure);
	}
	return judge(options, statuses);
}

static int prepare(struct options *options, int argc, char **argv, struct error *err)
{
	if (options_parse(options, argc, argv, err) < 0)
		return error_default(err, EXIT_USAGE);
	if (options->mode == MODE_HELP || options->mode == MODE_VERSION)
		return 0;
	if (geteuid() != 0)
		return error_exit(err, EXIT_USAGE, "vzmigrate must be run as root");
	if (options->mode == MODE_RECOVER || options_given(options, "remove-area"))
		return 0;
	return configuration_read(CONFIGURATION_FILE, &options->migration.remove_area, err);
}

int cli_main(int argc, char **argv)
{
	CLEANUP(options_release) struct options options = { 0 };
	struct error failure = { 0 };
	int outcome = prepare(&options, argc, argv, &failure);

	show_begin(&(struct show_options){
		.batch = options.batch,
		.times = options.times,
		.checks = options.migration.check_only,
	});
	if (outcome < 0)
		return fail(&failure);
	if (options.verbosity > 0)
		log_set_level(options.verbosity > 1 ? LOG_TRACE : LOG_DEBUG);
	switch (options.mode) {
	case MODE_HELP:
		options_print_help(stdout);
		return EXIT_OK;
	case MODE_VERSION:
		printf("vzmigrate %s\n", VZMIGRATE_VERSION);
		return EXIT_OK;
	case MODE_RECOVER:
		return recover_command(&options);
	default:
		return migrate_all(&options);
	}
}
