// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for when the container's memory is copied, and how often. */
#include <inttypes.h>

#include "base/event.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "migration/copy_memory.h"
#include "migration/migration.h"

/* Below this a dump of everything takes no longer, and is simpler. */
#define LITTLE_MEMORY ((int64_t)64 << 20)

/* Each time it gets this part of the CPU time that it had before, down to 1%. */
#define THROTTLE_STEP 2

static bool is_little(const struct migration *migration)
{
	/* 0: --nodeps=memory, so nobody has looked. */
	return migration->facts.memory > 0 && migration->facts.memory < LITTLE_MEMORY;
}

/* Gets one node ready. Where memory is to go its own way and cannot, it is said why. */
static int prepare_node(struct migration *migration, struct node *node, bool nftables,
			json_object **answer, struct error *err)
{
	json_object *arguments = json_object_new_object();
	const char *lacks;

	json_add_flag(arguments, "memory", migration->copy.apart);
	json_add_flag(arguments, "nftables", nftables);
	if (node_call(node, "prepare", arguments, answer, err) < 0)
		return -1;
	lacks = json_find_text(*answer, "lacks");
	if (lacks == NULL)
		return 0;
	migration->copy.apart = false;
	log_notice("container '%s': its memory is copied while it stands still: %s%s%.400s",
		   migration->id, node == &migration->source ? "" : node->name,
		   node == &migration->source ? "" : ": ", lacks);
	return 0;
}

int copy_memory_prepare(struct migration *migration, struct error *err)
{
	CLEANUP(json_release) json_object *here = NULL;
	CLEANUP(json_release) json_object *there = NULL;
	struct copy *copy = &migration->copy;
	struct memory_source source;
	const char *images;
	const char *memory;

	copy->apart = !is_little(migration);
	copy->forecast.limit_ms = migration->options->max_downtime_ms;
	if (prepare_node(migration, migration->destination, false, &there, err) < 0 ||
	    prepare_node(migration, &migration->source, json_find_flag(there, "nftables"), &here,
			 err) < 0)
		return -1;
	images = json_get_path(there, "images", err);
	if (images == NULL)
		return -1;
	migration->images = memory_duplicate(images);
	copy->follows = copy->apart && migration->options->lazy;
	copy->in_rounds = copy->apart && !migration->options->no_iterations;
	if (!copy->apart)
		return 0;
	memory = json_get_path(there, "memory", err);
	if (memory == NULL || (copy->in_rounds && content_index_make(&copy->index, err) < 0))
		return -1;
	migration->store = memory_duplicate(memory);
	source = (struct memory_source){
		.init = migration->container.init_pid,
		.bandwidth = (int64_t)migration->options->bandwidth_limit,
		.index = copy->in_rounds ? &copy->index : NULL,
	};
	return memory_stream_start(&copy->memory, &migration->session->connection,
				   session_command(migration->session), &source, memory, err);
}

static void tell_round(const struct migration *migration, const struct memory_round *round)
{
	const struct forecast *forecast = &migration->copy.forecast;
	json_object *fields = json_object_new_object();

	json_add_number(fields, "number", forecast->rounds);
	json_add_number(fields, "changed", round->changed);
	json_add_number(fields, "dumped", round->dumped);
	json_add_number(fields, "sent", round->sent);
	json_add_number(fields, "uncompressed", round->raw);
	json_add_number(fields, "ms", round->milliseconds);
	json_add_number(fields, "expected_stop_ms", forecast_stop_ms(forecast));
	event_emit("round", fields);
}

static int make_round(struct migration *migration, struct error *err)
{
	struct copy *copy = &migration->copy;
	int64_t before = copy->round_began;
	struct memory_round round = { 0 };

	copy->round_began = wait_clock();
	if (memory_stream_round(&copy->memory, &round, err) < 0)
		return -1;
	forecast_add(&copy->forecast, &(struct forecast_round){
					      .changed = round.changed,
					      .sent = round.sent,
					      .dumped = round.dumped,
					      .milliseconds = round.milliseconds,
					      .since_ms = copy->round_began - before,
				      });
	tell_round(migration, &round);
	return 0;
}

/* The rounds do not make the stop as short as it should be. */
static int judge_stuck(const struct migration *migration, enum forecast_advice advice,
		       struct error *err)
{
	const char *reason = advice == FORECAST_LONG
				     ? "the dump and the restore take that long"
				     : "it changes its memory too fast for this connection";
	const char *remedy = advice == FORECAST_LONG ? "allow more" : "try --throttle";
	int64_t stop = forecast_stop_ms(&migration->copy.forecast);
	int64_t limit = migration->options->max_downtime_ms;
	CLEANUP(memory_release)
	char *asked = limit > 0 ? memory_format(", and --max-downtime allows %" PRId64, limit)
				: memory_duplicate("");

	if (migration->options->require_realtime)
		return error_exit(err, EXIT_VE_STOP,
				  "container '%s' would stand still for about %" PRId64
				  " ms%s: %s (%s, or leave out --require-realtime)",
				  migration->id, stop, asked, reason, remedy);
	log_warning("container '%s' will stand still for about %" PRId64 " ms%s: %s", migration->id,
		    stop, asked, reason);
	return 0;
}

/* Rounds, as long as they gain something. */
static int make_rounds(struct migration *migration, enum forecast_advice *advice, struct error *err)
{
	do {
		if (make_round(migration, err) < 0)
			return -1;
		*advice = forecast_advise(&migration->copy.forecast);
	} while (*advice == FORECAST_AGAIN);
	return 0;
}

static int throttle(struct migration *migration, int percent, struct error *err)
{
	json_object *arguments = json_object_new_object();

	log_notice(
		"container '%s': it changes its memory faster than that is copied; from now on it "
		"gets %d%% of its CPU time",
		migration->id, percent);
	json_add_number(arguments, "percent", percent);
	forecast_try_again(&migration->copy.forecast);
	return node_call(&migration->source, "throttle", arguments, NULL, err);
}

int copy_memory(struct migration *migration, struct error *err)
{
	enum forecast_advice advice;

	if (!migration->copy.in_rounds)
		return 0;
	if (make_rounds(migration, &advice, err) < 0)
		return -1;
	for (int percent = 100 / THROTTLE_STEP;
	     migration->options->throttle && advice == FORECAST_STUCK && percent > 0;
	     percent /= THROTTLE_STEP)
		if (throttle(migration, percent, err) < 0 ||
		    make_rounds(migration, &advice, err) < 0)
			return -1;
	return advice == FORECAST_STOP ? 0 : judge_stuck(migration, advice, err);
}

int copy_memory_again(struct migration *migration, struct error *err)
{
	return migration->copy.in_rounds ? make_round(migration, err) : 0;
}

int copy_memory_frozen(struct migration *migration, struct error *err)
{
	struct memory_round last = { 0 };

	if (!migration->copy.apart)
		return 0;
	if (memory_stream_last(&migration->copy.memory, migration->copy.follows, &last, err) < 0)
		return -1;
	log_debug("%" PRId64 " bytes of memory had changed when it stood still", last.changed);
	return 0;
}

void copy_memory_count(struct migration *migration, const char *what,
		       const struct image_traffic *traffic)
{
	migration->sent[TRAFFIC_MEMORY] += traffic->sent;
	migration->memory_uncompressed += traffic->raw;
	if (traffic->sent < traffic->raw)
		log_debug("%" PRId64 " bytes of %s were compressed to %" PRId64 " and sent",
			  traffic->raw, what, traffic->sent);
	else
		log_debug("%" PRId64 " bytes of %s were sent", traffic->sent, what);
}

int copy_memory_rest(struct migration *migration, struct error *err)
{
	struct copy *copy = &migration->copy;
	struct image_traffic traffic = { 0 };
	int64_t missing = 0;

	if (!copy->apart)
		return 0;
	if (!copy->follows) {
		if (memory_stream_finish(&copy->memory, migration->host.images, &traffic, err) < 0)
			return -1;
		copy_memory_count(migration, "memory", &traffic);
		return 0;
	}
	if (memory_stream_follow(&copy->memory, migration->host.images, &missing, err) < 0)
		return -1;
	log_debug("%" PRId64 " bytes of memory follow after the switch", missing);
	return 0;
}

int copy_memory_follow(struct migration *migration, struct error *err)
{
	struct copy *copy = &migration->copy;
	struct image_traffic traffic = { 0 };

	if (!copy->follows)
		return 0;
	if (memory_stream_await(&copy->memory, &traffic, err) == 0) {
		copy_memory_count(migration, "memory", &traffic);
		return 0;
	}
	return error_context(err,
			     "the rest of its memory is lost, so it is started from its files");
}
