// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the run of the command: options, a migration per container, exit status. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "cli/cli.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "cli/recover.h"
#include "cli/report.h"
#include "migration/migration.h"

static int migrate(const struct options *options, struct session *session,
		   const struct migration_request *request)
{
	CLEANUP(migration_release) struct migration migration = MIGRATION_NONE;
	struct error failure = { 0 };

	if (migration_run(&migration, &options->migration, session, request, &failure) < 0) {
		report_failure(request->id, &failure);
		return failure.exit_status;
	}
	report_success(&migration, options->times);
	return EXIT_OK;
}

/* The containers from `first` on are not tried any more; the status of that. */
static int report_untouched(const struct options *options, size_t first)
{
	struct error failure;

	if (first >= options->request_count)
		return EXIT_OK;
	error_exit(&failure, EXIT_INTERRUPTED, "interrupted, not migrated");
	for (size_t i = first; i < options->request_count; i++)
		report_failure(options->requests[i].id, &failure);
	return EXIT_INTERRUPTED;
}

static int migrate_all(const struct options *options)
{
	CLEANUP(session_close) struct session session = SESSION_NONE;
	int first_failure = EXIT_OK;

	wait_catch_signals();
	for (size_t i = 0; i < options->request_count; i++) {
		int status = migrate(options, &session, &options->requests[i]);

		if (first_failure == EXIT_OK)
			first_failure = status;
		/* ^C means the list, not one container of it. */
		if (wait_signal() != 0) {
			i++;
			status = report_untouched(options, i);
			return first_failure != EXIT_OK ? first_failure : status;
		}
	}
	return first_failure;
}

static int prepare(struct options *options, int argc, char **argv, struct error *err)
{
	if (options_parse(options, argc, argv, err) < 0)
		return -1;
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

	log_set_sink(report_log, NULL);
	if (prepare(&options, argc, argv, &failure) < 0) {
		report_failure(NULL, &failure);
		return failure.exit_status != 0 ? failure.exit_status : EXIT_USAGE;
	}
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
