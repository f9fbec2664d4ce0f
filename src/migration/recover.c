// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for settling a migration that was interrupted. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "migration/recover.h"
#include "migration/session.h"
#include "node/host.h"
#include "node/node.h"
#include "node/protocol.h"

/* The longest text of a journal's header that is about the peer. */
#define HEADER_TEXT_MAX 4096

struct recovery {
	const struct recover_options *options;
	const char *id;
	struct host host;
	struct node local;
	struct session session;
	bool is_source;	     /* this node's role */
	bool reached;	     /* the peer has been asked */
	struct error reason; /* why not */
	char *name;	     /* the migration's */
	char *peer;	     /* [user@]host[:port] */
	char *peer_container;
	char *ssh;
	enum journal_state own;
	enum journal_state other;
};

static void recovery_release(struct recovery *recovery)
{
	session_close(&recovery->session);
	host_release(&recovery->host);
	free(recovery->name);
	free(recovery->peer);
	free(recovery->peer_container);
	free(recovery->ssh);
}

/* The peer as a node, or NULL when it was not reached. */
static struct node *remote(struct recovery *recovery)
{
	return recovery->reached ? &recovery->session.node : NULL;
}

static struct node *source_of(struct recovery *recovery)
{
	return recovery->is_source ? &recovery->local : remote(recovery);
}

static struct node *destination_of(struct recovery *recovery)
{
	return recovery->is_source ? remote(recovery) : &recovery->local;
}

static int call(struct node *node, const char *operation, struct error *err)
{
	return node_call(node, operation, NULL, NULL, err);
}

static int read_state(json_object *found, enum journal_state *state, struct error *err)
{
	const char *name = json_get_text(found, "state", 16, err);

	for (int i = 0; name != NULL && i < JOURNAL_STATES; i++)
		if (strcmp(name, journal_state_name((enum journal_state)i)) == 0) {
			*state = (enum journal_state)i;
			return 0;
		}
	return name == NULL ? -1 : error_set(err, "'%s' is no state of a journal", name);
}

/* Takes up what is here; what had not come to the switch is taken back by that. */
static int adopt_here(struct recovery *recovery, struct error *err)
{
	CLEANUP(json_release) json_object *found = NULL;
	json_object *arguments = json_object_new_object();

	json_add_text(arguments, "container", recovery->id);
	json_add_flag(arguments, "keep-journal", true);
	if (node_call(&recovery->local, "adopt", arguments, &found, err) < 0)
		return -1;
	return read_state(found, &recovery->own, err);
}

static int read_header(struct recovery *recovery, struct error *err)
{
	json_object *header = journal_header(&recovery->host.journal);
	const char *role = json_get_text(header, "role", 16, err);
	const char *name = json_get_text(header, "migration", 128, err);
	const char *peer = json_get_text(header, "peer", HEADER_TEXT_MAX, err);
	const char *container = json_get_text(header, "peer-container", CONTAINER_PATH_MAX, err);
	const char *ssh = json_find_text(header, "ssh");

	if (role == NULL || name == NULL || peer == NULL || container == NULL)
		return error_context(err, "the journal '%s'", recovery->host.journal.path);
	recovery->is_source = strcmp(role, "source") == 0;
	recovery->name = memory_duplicate(name);
	recovery->peer = memory_duplicate(peer);
	recovery->peer_container = memory_duplicate(container);
	recovery->ssh = ssh != NULL ? memory_duplicate(ssh) : NULL;
	return 0;
}

static int connect_peer(struct recovery *recovery, struct error *err)
{
	CLEANUP(destination_release) struct destination destination = { 0 };
	CLEANUP(ssh_options_release) struct ssh_options ssh = { 0 };

	if (destination_parse(&destination, recovery->peer, err) < 0 ||
	    (recovery->ssh != NULL && ssh_options_parse(&ssh, recovery->ssh, err) < 0))
		return -1;
	words_extend(&ssh.words, &recovery->options->ssh->words);
	ssh.ciphers = ssh.ciphers || recovery->options->ssh->ciphers;
	if (session_connect(&recovery->session, &destination, &ssh,
			    recovery->options->timeout_seconds, err) < 0)
		return -1;
	return session_start_agent(&recovery->session, err);
}

static int adopt_there(struct recovery *recovery, struct error *err)
{
	CLEANUP(json_release) json_object *found = NULL;
	json_object *arguments = json_object_new_object();

	json_add_text(arguments, "container", recovery->peer_container);
	json_add_text(arguments, "migration", recovery->name);
	if (node_call(&recovery->session.node, "adopt", arguments, &found, err) < 0)
		return -1;
	return read_state(found, &recovery->other, err);
}

/* Asks the peer. One that cannot be asked is no failure yet; one where somebody is at it is. */
static int ask_peer(struct recovery *recovery, struct error *err)
{
	recovery->other = JOURNAL_UNKNOWN;
	if (connect_peer(recovery, &recovery->reason) < 0)
		return recovery->reason.exit_status == EXIT_INTERRUPTED
			       ? (*err = recovery->reason, -1)
			       : 0;
	if (adopt_there(recovery, err) < 0) {
		if (err->exit_status == EXIT_CONNECT) {
			recovery->reason = *err;
			return 0;
		}
		return -1;
	}
	recovery->reached = true;
	return 0;
}

/* What was done is right as far as it goes; the peer has still to be asked. */
static int peer_is_left(const struct recovery *recovery, const char *done, struct error *err)
{
	return error_exit(
		err, EXIT_CONNECT,
		"container '%s' %s, but %s has still to be asked to clean up, and could not "
		"be reached (%.400s): run 'vzmigrate --recover %s' here again, or "
		"'vzmigrate --recover %s' there",
		recovery->id, done, recovery->peer, recovery->reason.text, recovery->id,
		recovery->peer_container);
}

static int wait_for_peer(const struct recovery *recovery, struct error *err)
{
	/* It has said that the container is there: only what is left here waits. */
	if (recovery->is_source && recovery->own == JOURNAL_MOVED)
		return peer_is_left(recovery, "has moved there", err);
	return error_exit(
		err, EXIT_UNRESOLVED,
		"whether container '%s' runs here or on %s depends on what %s knows, and it could "
		"not be reached (%.400s): nothing was changed; run 'vzmigrate --recover %s' "
		"again when it can be, or 'vzmigrate --recover %s' there",
		recovery->id, recovery->peer, recovery->peer, recovery->reason.text, recovery->id,
		recovery->peer_container);
}

/* The source first: its container must not wait while the destination removes files. */
static int undo(struct recovery *recovery, struct error *err)
{
	struct node *source = source_of(recovery);
	struct node *destination = destination_of(recovery);

	if (source != NULL && destination == NULL)
		return peer_is_left(recovery, "is here as it was before its migration", err);
	if (destination != NULL && call(destination, "rollback", err) < 0)
		return -1;
	if (source != NULL && call(source, "rollback", err) < 0)
		return -1;
	log_notice("container '%s': its migration was not committed; everything is put back on %s",
		   recovery->id, source != NULL ? "both nodes" : "this node");
	return 0;
}

static int regain(struct recovery *recovery, struct error *err)
{
	struct node *source = source_of(recovery);

	if (call(destination_of(recovery), "rollback", err) < 0 ||
	    call(source, "regain", err) < 0 || call(source, "rollback", err) < 0)
		return -1;
	log_notice(
		"container '%s': the destination never ran it; it belongs to %s again, as it was "
		"before its migration",
		recovery->id, recovery->is_source ? "this node" : recovery->peer);
	return 0;
}

/* Both know where the container is: the source's copy goes. */
static int finish(struct recovery *recovery, struct error *err)
{
	struct node *source = source_of(recovery);
	struct node *destination = destination_of(recovery);
	const char *where = recovery->is_source ? recovery->peer : "this node";

	if (source != NULL && (call(source, "moved", err) < 0 || call(source, "release", err) < 0))
		return -1;
	if (destination == NULL)
		return peer_is_left(recovery, "has moved there", err);
	/* Whatever becomes of the source, here it runs; its journal stays until the source is done. */
	if (source == NULL)
		return peer_is_left(recovery, "is on this node now", err);
	if (call(destination, "finish", err) < 0 || call(source, "retire", err) < 0 ||
	    call(source, "finish", err) < 0)
		return -1;
	log_notice("container '%s': its migration is finished; it is on %s", recovery->id, where);
	return 0;
}

/* The destination is told, perhaps once more; it may have to give the container back. */
static int forward(struct recovery *recovery, struct error *err)
{
	CLEANUP(json_release) json_object *answer = NULL;
	json_object *arguments = json_object_new_object();
	const char *state;

	json_add_flag(arguments, "alone", source_of(recovery) == NULL);
	if (node_call(destination_of(recovery), "take-over", arguments, &answer, err) < 0)
		return -1;
	state = json_get_text(answer, "state", 16, err);
	if (state == NULL)
		return -1;
	if (strcmp(state, "gone") != 0)
		return finish(recovery, err);
	log_warning("container '%s': %s", recovery->id, json_find_text(answer, "reason"));
	if (source_of(recovery) == NULL)
		return wait_for_peer(recovery, err);
	return regain(recovery, err);
}

static int settle(struct recovery *recovery, struct error *err)
{
	enum journal_state source = recovery->is_source ? recovery->own : recovery->other;
	enum journal_state destination = recovery->is_source ? recovery->other : recovery->own;
	enum settlement settlement = protocol_settle(source, destination);

	log_debug("container '%s': the source's journal says '%s', the destination's '%s'",
		  recovery->id, journal_state_name(source), journal_state_name(destination));
	if (recovery->options->abort &&
	    (settlement == SETTLE_FORWARD || settlement == SETTLE_FINISH))
		return error_exit(
			err, EXIT_UNRESOLVED,
			"the migration of container '%s' is past its commit, so it can only "
			"be finished: run 'vzmigrate --recover %s'",
			recovery->id, recovery->id);
	switch (settlement) {
	case SETTLE_UNDO:
		return undo(recovery, err);
	case SETTLE_REGAIN:
		return regain(recovery, err);
	case SETTLE_FORWARD:
		return forward(recovery, err);
	case SETTLE_FINISH:
		return finish(recovery, err);
	case SETTLE_NOTHING:
		return 0;
	default:
		if (!recovery->reached)
			return wait_for_peer(recovery, err);
		return error_exit(
			err, EXIT_UNRESOLVED,
			"the journals of container '%s' contradict each other ('%s' on the "
			"source, '%s' on the destination): nothing was changed",
			recovery->id, journal_state_name(source), journal_state_name(destination));
	}
}

static int drop_kept(struct recovery *recovery, struct error *err)
{
	if (!recovery->options->abort)
		return 0;
	recovery->host.keep = false;
	if (call(&recovery->local, "rollback", err) < 0)
		return -1;
	log_notice("container '%s': what --keep-dst had kept is removed", recovery->id);
	return 0;
}

int recover_container(const struct recover_options *options, const char *id, struct error *err)
{
	CLEANUP(recovery_release)
	struct recovery recovery = {
		.options = options, .id = id, .host = HOST_NONE, .session = SESSION_NONE
	};
	int outcome;

	recovery.local = (struct node){ .name = "this node", .host = &recovery.host };
	if (adopt_here(&recovery, err) < 0)
		return -1;
	if (recovery.own == JOURNAL_ABSENT) {
		log_notice("container '%s': nothing is left of a migration here", id);
		return 0;
	}
	if (recovery.own == JOURNAL_KEPT)
		return drop_kept(&recovery, err);
	if (read_header(&recovery, err) < 0 || ask_peer(&recovery, err) < 0)
		return -1;
	/* What is settled is settled whole. */
	wait_shield();
	outcome = settle(&recovery, err);
	wait_unshield();
	return outcome;
}
