// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the operations "survey" and "check": what a node is asked, and its answer. */
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "node/adopt.h"
#include "node/check.h"

#define SKIPPED_MAX 64
#define MACHINE_ID "/etc/machine-id"

/* Node, directory and inode: another container of the same name has another. */
static char *origin_of(const struct container *container)
{
	CLEANUP(text_release) struct text machine = { 0 };
	struct error ignored;
	struct stat status = { 0 };
	char shown[64];

	file_read(MACHINE_ID, sizeof(shown), &machine, &ignored);
	text_printable(shown, sizeof(shown), text_string(&machine), machine.length);
	stat(container->private_area, &status);
	return memory_format("%.32s:%.64s:%llx:%llx", shown, container->id,
			     (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
}

/* The destination learns what shall come. */
static int read_target(struct host *host, json_object *arguments, struct container *from,
		       struct areas *areas, struct facts *facts, struct error *err)
{
	json_object *target = json_get_object(arguments, "target", err);
	json_object *source = target != NULL ? json_get_object(arguments, "from", err) : NULL;
	json_object *list =
		source != NULL ? json_get_array(arguments, "areas", AREAS_MAX, err) : NULL;
	json_object *found = list != NULL ? json_get_object(arguments, "facts", err) : NULL;

	if (found == NULL)
		return -1;
	if (host->runtime == NULL)
		return error_set(err, "a check follows a survey");
	container_release(&host->container);
	if (container_from_json(&host->container, target, err) < 0 ||
	    container_from_json(from, source, err) < 0 || areas_from_json(areas, list, err) < 0 ||
	    facts_from_json(facts, found, err) < 0)
		return -1;
	return adopt_find_kept(host, host->container.id, facts->origin, err);
}

int check_survey(struct host *host, json_object *arguments, json_object **result, struct error *err)
{
	const char *name = json_get_text(arguments, "runtime", 32, err);
	const char *id = json_get_text(arguments, "id", CONTAINER_PATH_MAX, err);
	json_object *object = json_get_object(arguments, "container", err);
	CLEANUP(container_release) struct container from = { 0 };
	CLEANUP(memory_release) char *directory = NULL;

	if (name == NULL || id == NULL || object == NULL || container_check_id(id, err) < 0 ||
	    container_from_json(&from, object, err) < 0)
		return -1;
	host->runtime = runtime_by_name(name);
	if (host->runtime == NULL)
		return error_exit(err, EXIT_RUNTIME, "there is no runtime '%s'", name);
	directory = host->runtime->place(&from, id, err);
	if (directory == NULL)
		return -1;
	*result = json_object_new_object();
	json_add_text(*result, "directory", directory);
	return 0;
}

int check_operation(struct host *host, json_object *arguments, json_object **result,
		    struct error *err)
{
	CLEANUP(check_others_release) struct check_others others = { 0 };
	CLEANUP(container_release) struct container from = { 0 };
	CLEANUP(verdicts_release) struct verdicts verdicts = { 0 };
	CLEANUP(words_release) struct words skipped = { 0 };
	CLEANUP(areas_release) struct areas areas = { 0 };
	CLEANUP(facts_release) struct facts facts = { 0 };
	struct check_subject subject = {
		.host = host,
		.from = &from,
		.areas = &areas,
		.facts = &facts,
		.others = &others,
		.arrived_ms = clock_of_day_ms(),
		.destination = json_object_object_get_ex(arguments, "target", NULL),
		.online = json_find_flag(arguments, "online"),
		.starts = json_find_flag(arguments, "starts"),
		.iterations_only = json_find_flag(arguments, "iterations_only"),
	};

	if (json_get_words(arguments, "skipped", SKIPPED_MAX, &skipped, err) < 0 ||
	    (subject.destination && read_target(host, arguments, &from, &areas, &facts, err) < 0))
		return -1;
	if (host->runtime == NULL || host->container.id == NULL)
		return error_set(err, "a check follows an inspection, or a survey");
	/* These are no checks, which could be skipped. */
	if (!subject.destination) {
		facts.origin = origin_of(&host->container);
		if (quota_read(host->container.private_area, &facts.quota, err) < 0)
			return error_default(err, EXIT_QUOTA);
	}
	checks_run(&subject, &skipped, &verdicts);
	*result = json_object_new_object();
	json_object_object_add(*result, "verdicts", verdicts_to_json(&verdicts));
	if (!subject.destination)
		json_object_object_add(*result, "facts", facts_to_json(&facts));
	return 0;
}
