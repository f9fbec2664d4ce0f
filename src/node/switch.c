// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for who owns the container: the acts from the commit on, and their order. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/wait.h"
#include "node/check.h"
#include "node/dump.h"
#include "node/frames.h"
#include "node/hook.h"
#include "node/restore.h"
#include "node/retire.h"
#include "node/switch.h"

bool switch_mode_is(const struct host *host, const char *mode)
{
	const char *noted = json_find_text(journal_header(&host->journal), "mode");

	return noted != NULL && strcmp(noted, mode) == 0;
}

int switch_commit(struct host *host, struct error *err)
{
	if (switch_mode_is(host, "resume") && !hook_waits(host))
		return error_exit(err, EXIT_VE_STOP,
				  "container '%s' is not held frozen any more: criu was killed",
				  host->container.id);
	return journal_set_state(&host->journal, JOURNAL_COMMITTED, err);
}

int switch_regain(struct host *host, struct error *err)
{
	return journal_set_state(&host->journal, JOURNAL_BEGUN, err);
}

/*
 * That it may have run is noted before it does. Where it cannot be started it is fenced again before it
 * is looked at, so that nobody starts what is said to be gone.
 */
static int start(struct host *host, struct error *err)
{
	bool ran = host->journal.state == JOURNAL_RUNNING;
	struct error failure;
	int started;

	if ((!ran && journal_set_state(&host->journal, JOURNAL_RUNNING, err) < 0) ||
	    host->runtime->unfence(&host->container, err) < 0)
		return -1;
	if (check_start(host, err) == 1)
		return 1;
	if (ran)
		return -1;
	if (host->runtime->fence(&host->container, &failure) < 0) {
		*err = failure;
		return -1;
	}
	started = check_stopped(host, err);
	if (started != 0)
		return started;
	return journal_set_state(&host->journal, JOURNAL_TOLD, &failure);
}

static int leave(struct host *host, struct error *err)
{
	if (!file_exists(host->container.directory)) {
		error_set(err, "'%s' is not there", host->container.directory);
		return 0;
	}
	return host->runtime->unfence(&host->container, err) < 0 ? -1 : 1;
}

/* Last: until it runs nobody else can have started it. */
static int resume(struct host *host, bool alone, struct error *err)
{
	int runs = restore_resume(host, alone, err);

	if (runs == 1 && host->runtime->unfence(&host->container, err) < 0)
		return -1;
	return runs;
}

int switch_take_over(struct host *host, bool alone, enum arrival *arrival, struct error *reason,
		     struct error *err)
{
	bool stays = switch_mode_is(host, "leave");
	int outcome;

	if (host->journal.state != JOURNAL_TOLD && host->journal.state != JOURNAL_RUNNING &&
	    journal_set_state(&host->journal, JOURNAL_TOLD, err) < 0)
		return -1;
	/* Told is told: no signal to this process may end it halfway. */
	wait_shield();
	if (switch_mode_is(host, "resume"))
		outcome = resume(host, alone, reason);
	else
		outcome = stays ? leave(host, reason) : start(host, reason);
	wait_unshield();
	if (outcome < 0)
		return error_exit(err, EXIT_UNRESOLVED, "%.900s", reason->text);
	*arrival = outcome == 0 ? ARRIVAL_GONE : stays ? ARRIVAL_STOPPED : ARRIVAL_RUNNING;
	return 0;
}

/* The destination announces the same addresses by now. */
static void unplug(const struct host *host)
{
	const struct container *container = &host->container;
	struct error failure;

	if (file_exists(container->directory) &&
	    host->runtime->unplug_network(container, &failure) < 0)
		log_warning("container '%s' could not be unplugged here: %s", container->id,
			    failure.text);
}

int switch_note_moved(struct host *host, struct error *err)
{
	/* First: its peers wait for it. */
	frames_forward(host);
	if (journal_set_state(&host->journal, JOURNAL_MOVED, err) < 0)
		return -1;
	if (switch_mode_is(host, "resume"))
		unplug(host);
	return 0;
}

int switch_release(struct host *host, struct error *err)
{
	return switch_mode_is(host, "resume") ? dump_release(host, err) : 0;
}

int switch_retire(struct host *host, struct error *err)
{
	unplug(host);
	return retire_container(host, json_find_flag(journal_header(&host->journal), "remove"),
				err);
}

/* A copy (--readonly) is told nothing: it is there, and may be started, as soon as it is complete. */
static bool is_copy(const struct host *host)
{
	return host->journal.state == JOURNAL_BEGUN && host_is_destination(host);
}

int switch_finish(struct host *host, struct error *err)
{
	if (host->journal.records == NULL)
		return 0;
	if (is_copy(host) && host->runtime->unfence(&host->container, err) < 0)
		return -1;
	if (restore_settle(host, err) < 0 || restore_await_memory(host, err) < 0)
		return -1;
	return host_finish(host, err);
}

int switch_rollback(struct host *host, struct error *err)
{
	enum journal_state state = host->journal.state;

	if (host->journal.records == NULL)
		return 0;
	/* A crash halfway must not leave word of what is not there any more. */
	if ((state == JOURNAL_TOLD || state == JOURNAL_RUNNING) &&
	    journal_set_state(&host->journal, JOURNAL_BEGUN, err) < 0)
		return -1;
	return host_rollback(host, err);
}
