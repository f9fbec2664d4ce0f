// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for --recover: which containers, and what became of each. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "cli/recover.h"
#include "cli/report.h"
#include "node/host.h"
#include "node/journal.h"
#include "node/node.h"

#define SUFFIX ".journal"

/* The lock settles whatever may be taken back, and refuses the rest with its reason. */
static int recover_container(const char *id)
{
	CLEANUP(host_release) struct host host = HOST_NONE;
	struct node node = { .name = "this node", .host = &host };
	json_object *arguments = json_object_new_object();
	struct error failure = { 0 };

	json_add_text(arguments, "container", id);
	if (node_call(&node, "lock", arguments, NULL, &failure) < 0) {
		error_default(&failure, EXIT_UNRESOLVED);
		report_failure(id, &failure);
		return failure.exit_status;
	}
	log_notice("container '%s': nothing is left to recover", id);
	return EXIT_OK;
}

/* The containers that have a journal. */
static int list_journals(struct words *ids, struct error *err)
{
	DIR *directory = opendir(JOURNAL_DIRECTORY);
	const struct dirent *entry;

	if (directory == NULL && errno == ENOENT)
		return 0;
	if (directory == NULL)
		return error_system(err, "cannot read '%s'", JOURNAL_DIRECTORY);
	while ((entry = readdir(directory)) != NULL) {
		CLEANUP(memory_release) char *name = memory_duplicate(entry->d_name);

		if (!text_ends_with(name, SUFFIX))
			continue;
		name[strlen(name) - strlen(SUFFIX)] = '\0';
		words_add(ids, name);
	}
	closedir(directory);
	return 0;
}

int recover_command(const struct options *options)
{
	CLEANUP(words_release) struct words ids = { 0 };
	struct error failure = { 0 };
	int first_failure = EXIT_OK;

	wait_catch_signals();
	for (size_t i = 0; i < options->request_count; i++)
		words_add(&ids, options->requests[i].id);
	if (options->request_count == 0 && list_journals(&ids, &failure) < 0) {
		error_default(&failure, EXIT_UNRESOLVED);
		report_failure(NULL, &failure);
		return failure.exit_status;
	}
	for (size_t i = 0; i < ids.count && wait_signal() == 0; i++) {
		int status = recover_container(ids.items[i]);

		if (first_failure == EXIT_OK)
			first_failure = status;
	}
	return first_failure == EXIT_OK && wait_signal() != 0 ? EXIT_INTERRUPTED : first_failure;
}
