// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the run of --recover: which containers, and the exit status. */
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "cli/recover.h"
#include "cli/result.h"
#include "cli/show.h"
#include "migration/recover.h"
#include "node/journal.h"

static int recover_all(const struct recover_options *options, const struct words *ids)
{
	int first_failure = EXIT_OK;

	for (size_t i = 0; i < ids->count; i++) {
		struct error failure = { 0 };

		show_container(ids->items[i]);
		if (recover_container(options, ids->items[i], &failure) == 0) {
			result_emit_settled(ids->items[i]);
			continue;
		}
		error_default(&failure, EXIT_UNRESOLVED);
		result_emit_failure(ids->items[i], &failure);
		if (first_failure == EXIT_OK)
			first_failure = failure.exit_status;
	}
	show_container(NULL);
	return first_failure;
}

int recover_command(const struct options *options)
{
	CLEANUP(words_release) struct words ids = { 0 };
	const struct recover_options recover = {
		.ssh = &options->migration.ssh,
		.timeout_seconds = options->migration.timeout_seconds,
		.abort = options->abort,
	};
	struct error failure = { 0 };

	wait_catch_signals();
	for (size_t i = 0; i < options->request_count; i++)
		words_add(&ids, options->requests[i].id);
	if (ids.count == 0 && journal_list(&ids, &failure) < 0) {
		result_emit_failure(NULL, &failure);
		return EXIT_UNRESOLVED;
	}
	if (ids.count == 0)
		log_notice("nothing is left of a migration on this node");
	return recover_all(&recover, &ids);
}
