// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding the destination again after the connection was lost. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "migration/settle.h"

#define RETRY_MS 500

/* One attempt: returns as settle_reconnect(). The lock is taken as long as the old agent lives. */
static int attempt(struct migration *migration, struct error *err)
{
	const struct migration_options *options = migration->options;
	CLEANUP(json_release) json_object *found = NULL;
	json_object *arguments;
	const char *state;

	session_close(migration->session);
	if (session_connect(migration->session, &options->destination, &options->ssh,
			    options->timeout_seconds, err) < 0 ||
	    session_start_agent(migration->session, err) < 0)
		return -1;
	arguments = json_object_new_object();
	json_add_text(arguments, "container", migration->target.id);
	json_add_text(arguments, "migration", migration->name);
	if (node_call(migration->destination, "adopt", arguments, &found, err) < 0)
		return -1;
	state = json_get_text(found, "state", 16, err);
	if (state == NULL)
		return -1;
	log_debug("the destination's journal says '%s'", state);
	return strcmp(state, "none") != 0 && strcmp(state, "kept") != 0;
}

int settle_reconnect(struct migration *migration, struct error *err)
{
	int64_t deadline;
	int outcome;

	log_warning("the connection to %s is lost: calling again",
		    migration->options->destination.host);
	wait_shield();
	/* Waits for the old agent, which may be putting something back. */
	session_close(migration->session);
	deadline = wait_clock() + (int64_t)migration->options->timeout_seconds * 1000;
	do {
		struct error ignored;

		outcome = attempt(migration, err);
		if (outcome < 0)
			wait_sleep(RETRY_MS, &ignored);
	} while (outcome < 0 && wait_clock() < deadline);
	wait_unshield();
	return outcome;
}

int settle_roll_back(struct migration *migration, struct error *err)
{
	int found;

	if (node_call(migration->destination, "rollback", NULL, NULL, err) == 0)
		return 0;
	if (err->exit_status != EXIT_CONNECT)
		return -1;
	/* An agent that lost us puts back what it did, unless the container was held already. */
	found = settle_reconnect(migration, err);
	if (found <= 0)
		return found;
	return node_call(migration->destination, "rollback", NULL, NULL, err);
}
