// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for which runtimes there are and for which of them owns a container. */
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "runtime/lxc.h"
#include "runtime/oci.h"
#include "runtime/runtime.h"

const struct runtime *const runtimes[] = {
	&runtime_lxc, &runtime_runc, &runtime_crun, &runtime_bundle, NULL,
};

int runtime_find_program(const char *program, struct error *err)
{
	CLEANUP(memory_release) char *path = process_find(program);

	if (path == NULL)
		return error_exit(err, EXIT_RUNTIME, "the program '%s' is not installed", program);
	return 0;
}

void command_release(struct command *command)
{
	words_release(&command->argv);
	words_release(&command->environment);
}

void network_plan_release(struct network_plan *plan)
{
	words_release(&plan->links);
	words_release(&plan->namespaces);
}

bool runtime_has_ended(const struct runtime *runtime, const struct container *now)
{
	return now->id == NULL ? runtime->running_only : now->state == CONTAINER_STOPPED;
}

const struct runtime *runtime_by_name(const char *name)
{
	for (size_t i = 0; runtimes[i] != NULL; i++)
		if (strcmp(runtimes[i]->name, name) == 0)
			return runtimes[i];
	return NULL;
}

/* By its own name or its family's. */
static bool is_named(const struct runtime *runtime, const char *name)
{
	return strcmp(runtime->name, name) == 0 ||
	       (runtime->family != NULL && strcmp(runtime->family, name) == 0);
}

const char *runtime_known_name(const char *name)
{
	for (size_t i = 0; runtimes[i] != NULL; i++)
		if (is_named(runtimes[i], name))
			return strcmp(runtimes[i]->name, name) == 0 ? runtimes[i]->name
								    : runtimes[i]->family;
	return NULL;
}

/* Asked without a name, a node that has not even the runtime's programs has no such container. */
static bool is_asked(const struct runtime *runtime, const char *name)
{
	struct error reason = { 0 };

	if (name != NULL)
		return is_named(runtime, name);
	if (runtime->usable(false, &reason) == 0)
		return true;
	log_debug("runtime %s is not asked: %s", runtime->name, reason.text);
	return false;
}

/* An id that no runtime knows may be that of a stopped container of one which forgets those. */
static int refuse_unknown(const char *id, bool forgotten, struct error *err)
{
	return error_exit(
		err, EXIT_NOTEXIST, "there is no container '%s'%s", id,
		forgotten && id[0] != '/'
			? "; one that is stopped and known by no id any more is migrated by "
			  "the path of its bundle"
			: "");
}

static int check_movable(const struct runtime *runtime, const struct container *container,
			 struct error *err)
{
	if (runtime->running_only && container->state == CONTAINER_STOPPED)
		return error_exit(err, EXIT_VE_STOPPED,
				  "container '%s' is stopped, and %s would not know it on another "
				  "node: delete it, and migrate its bundle by the path '%s'",
				  container->id, runtime->name, container->directory);
	return runtime->movable != NULL ? runtime->movable(container, err) : 0;
}

const struct runtime *runtime_find(const char *id, const char *name, struct container *container,
				   struct error *err)
{
	CLEANUP(container_release) struct container found = { 0 };
	const struct runtime *owner = NULL;
	bool asked = false;
	bool forgotten = false;

	if (container_check_id(id, err) < 0)
		return NULL;
	if (name != NULL && runtime_known_name(name) == NULL) {
		error_exit(err, EXIT_USAGE, "there is no runtime '%s'", name);
		return NULL;
	}
	for (size_t i = 0; runtimes[i] != NULL; i++) {
		CLEANUP(container_release) struct container candidate = { 0 };
		int known;

		if (!is_asked(runtimes[i], name))
			continue;
		asked = true;
		forgotten = forgotten || runtimes[i]->running_only;
		known = runtimes[i]->describe(id, &candidate, err);
		if (known < 0)
			return NULL;
		/* What is fenced is another node's, or was. */
		if (known == 0 || candidate.fenced)
			continue;
		if (owner != NULL) {
			error_exit(err, EXIT_USAGE,
				   "both %s and %s have a container '%s'; choose with --runtime",
				   owner->name, runtimes[i]->name, id);
			return NULL;
		}
		owner = runtimes[i];
		found = candidate;
		candidate = (struct container){ 0 };
	}
	if (!asked)
		error_exit(err, EXIT_RUNTIME, "no container runtime is installed");
	else if (owner == NULL)
		refuse_unknown(id, forgotten, err);
	if (owner == NULL || check_movable(owner, &found, err) < 0)
		return NULL;
	*container = found;
	found = (struct container){ 0 };
	return owner;
}
