// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for having both nodes make their checks, and for what the verdicts mean. */
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "migration/checks.h"
#include "migration/plan.h"
#include "migration/steps.h"
#include "node/verdict.h"

static const char *shown_name(const struct migration *migration, const struct node *node)
{
	return node == &migration->source ? "the source" : node->name;
}

static void say(const struct migration *migration, const struct node *node,
		const struct verdict *verdict)
{
	json_object *fields = json_object_new_object();

	json_add_text(fields, "container", migration->id);
	json_add_text(fields, "node", node == &migration->source ? "source" : "destination");
	json_add_text(fields, "check", verdict->name);
	json_add_text(fields, "verdict", verdict_state_name(verdict->state));
	json_add_number(fields, "exit_status", verdict->exit_status);
	json_add_text(fields, "text", verdict->text);
	event_emit("check", fields);
}

/* The worst of a node's verdicts so far, and the first that stops. */
struct outcome {
	enum verdict_state state;
	struct error first; /* exit_status 0: none */
};

/* Without --dry-run only what stops is said, the first of them as the failure of the migration. */
static void judge(const struct migration *migration, const struct node *node,
		  const struct verdict *verdict, struct outcome *outcome)
{
	bool stops = verdict_stops(verdict);

	say(migration, node, verdict);
	if (stops && outcome->first.exit_status == 0) {
		error_exit(&outcome->first, (enum exit_status)verdict->exit_status, "%s%s%.900s",
			   node == &migration->source ? "" : node->name,
			   node == &migration->source ? "" : ": ", verdict->text);
		outcome->state = verdict->state;
	} else if (!migration->options->check_only && verdict->text[0] != '\0' &&
		   verdict->state != VERDICT_SKIPPED) {
		log_warning("check %s on %s: %s", verdict->name, shown_name(migration, node),
			    verdict->text);
	}
	if (verdict->state == VERDICT_NO)
		outcome->state = VERDICT_NO;
}

static int judge_all(const struct migration *migration, const struct node *node,
		     json_object *answer, struct outcome *outcome, struct error *err)
{
	CLEANUP(verdicts_release) struct verdicts verdicts = { 0 };
	json_object *list = json_get_array(answer, "verdicts", SIZE_MAX, err);

	if (list == NULL || verdicts_from_json(&verdicts, list, err) < 0)
		return -1;
	for (size_t i = 0; i < verdicts.count; i++)
		judge(migration, node, &verdicts.items[i], outcome);
	return 0;
}

static json_object *question(const struct migration *migration)
{
	const struct migration_options *options = migration->options;
	json_object *arguments = json_object_new_object();

	json_add_flag(arguments, "online", options->online);
	json_add_flag(arguments, "starts", migration_starts(migration));
	json_add_flag(arguments, "iterations_only", migration->options->require_realtime);
	json_add_words(arguments, "skipped", &options->skipped);
	return arguments;
}

/* Where the runtime has a place for it there decides what the container will be. */
static int plan(struct migration *migration, struct error *err)
{
	CLEANUP(json_release) json_object *found = NULL;
	json_object *arguments = json_object_new_object();
	const char *id = migration->request->new_id;
	const char *directory;

	json_add_text(arguments, "runtime", migration->container.runtime);
	json_add_text(arguments, "id", id != NULL ? id : migration->id);
	json_object_object_add(arguments, "container", container_to_json(&migration->container));
	if (node_call(migration->destination, "survey", arguments, &found, err) < 0)
		return -1;
	directory = json_get_path(found, "directory", err);
	if (directory == NULL)
		return -1;
	if (plan_target(&migration->target, &migration->container, migration->request, directory,
			err) < 0)
		return -1;
	areas_plan(&migration->areas, &migration->container, &migration->target);
	return 0;
}

/* With --dry-run the check "locked" only looks. */
static int lock_destination(struct migration *migration, struct error *err)
{
	json_object *arguments;

	if (migration->options->check_only)
		return 0;
	arguments = json_object_new_object();
	json_add_text(arguments, "container", migration->target.id);
	json_add_text(arguments, "given-up", migration->given_up);
	return node_call(migration->destination, "lock", arguments, NULL, err);
}

/* *answer is the destination's; `facts` are what the source's checks learned. */
static int ask_destination(struct migration *migration, json_object *facts, json_object **answer,
			   struct error *err)
{
	json_object *arguments = question(migration);

	json_object_object_add(arguments, "target", container_to_json(&migration->target));
	json_object_object_add(arguments, "from", container_to_json(&migration->container));
	json_object_object_add(arguments, "areas", areas_to_json(&migration->areas));
	/* As late as can be: the clocks are compared. */
	json_add_number(facts, "clock_ms", clock_of_day_ms());
	json_object_object_add(arguments, "facts", json_object_get(facts));
	return node_call(migration->destination, "check", arguments, answer, err);
}

static int check_both(struct migration *migration, struct outcome *outcome, struct error *err)
{
	CLEANUP(json_release) json_object *here = NULL;
	CLEANUP(json_release) json_object *there = NULL;
	json_object *facts;

	if (node_call(&migration->source, "check", question(migration), &here, err) < 0 ||
	    judge_all(migration, &migration->source, here, outcome, err) < 0)
		return -1;
	facts = json_get_object(here, "facts", err);
	if (facts == NULL || facts_from_json(&migration->facts, facts, err) < 0 ||
	    plan(migration, err) < 0 || lock_destination(migration, err) < 0 ||
	    ask_destination(migration, facts, &there, err) < 0)
		return -1;
	return judge_all(migration, migration->destination, there, outcome, err);
}

int checks_make(struct migration *migration, struct error *err)
{
	struct outcome outcome = { .state = VERDICT_GO };

	if (check_both(migration, &outcome, err) < 0) {
		if (outcome.first.exit_status == 0 || err->exit_status == EXIT_INTERRUPTED)
			return -1;
		/* What was found before comes first. */
		log_message(migration->options->check_only ? LOG_WARNING : LOG_DEBUG, "%s",
			    err->text);
	} else if (migration->options->check_only) {
		log_notice("container '%s': verdict: %s", migration->id,
			   verdict_state_name(outcome.state));
	}
	if (outcome.first.exit_status == 0)
		return 0;
	*err = outcome.first;
	return -1;
}
