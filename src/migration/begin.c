// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what the journals of both nodes begin with. */
#include <limits.h>
#include <stdint.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "migration/begin.h"
#include "migration/migration.h"
#include "migration/plan.h"
#include "migration/steps.h"

static const char *mode_name(const struct migration *migration)
{
	if (migration_kind(migration) == KIND_ONLINE)
		return "resume";
	return migration_starts(migration) ? "start" : "leave";
}

/* How the source reaches the destination again. */
static void add_destination(const struct migration *migration, json_object *header)
{
	const struct migration_options *options = migration->options;
	CLEANUP(memory_release) char *peer = destination_text(&options->destination);
	CLEANUP(memory_release) char *ssh = NULL;

	json_add_text(header, "peer", peer);
	json_add_text(header, "peer-container", migration->target.id);
	if (options->ssh.words.count > 0)
		ssh = words_quote((const char *const *)options->ssh.words.items);
	json_add_text(header, "ssh", ssh);
}

/* How the destination reaches the source, which may be a name that it does not know. */
static void add_source(const struct migration *migration, json_object *header)
{
	const char *address = migration->session->connection.address;
	struct destination source = { .host = NULL };
	CLEANUP(memory_release) char *peer = NULL;
	char name[HOST_NAME_MAX + 1] = "";

	if (address == NULL || *address == '\0') {
		gethostname(name, sizeof(name) - 1);
		address = name;
	}
	source.host = (char *)(uintptr_t)address;
	peer = destination_text(&source);
	json_add_text(header, "peer", peer);
	json_add_text(header, "peer-container", migration->id);
}

/* The header of the node's journal (node/journal.h). */
static int begin(struct migration *migration, struct node *node, const char *name,
		 struct error *err)
{
	bool there = node == migration->destination;
	json_object *header = migration_areas(migration);

	json_add_text(header, "migration", name);
	json_add_text(header, "role", there ? "destination" : "source");
	json_add_text(header, "mode", mode_name(migration));
	json_add_flag(header, "remove", migration->options->remove_area);
	json_add_flag(header, "keep", there && migration->options->keep_destination);
	if (there)
		add_source(migration, header);
	else
		add_destination(migration, header);
	json_add_text(header, "origin", migration->facts.origin);
	return node_call(node, "begin", header, NULL, err);
}

int begin_create(struct migration *migration, struct error *err)
{
	CLEANUP(memory_release) char *name = plan_name(migration->id);
	json_object *arguments;

	migration->name = memory_duplicate(name);
	if (begin(migration, &migration->source, name, err) < 0)
		return -1;
	migration->begun_there = true;
	if (begin(migration, migration->destination, name, err) < 0)
		return -1;
	arguments = migration_areas(migration);
	json_object_object_add(arguments, "quota", quota_to_json(&migration->facts.quota));
	return node_call(migration->destination, "stage", arguments, NULL, err);
}
