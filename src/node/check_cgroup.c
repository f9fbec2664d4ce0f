// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the checks of the node's cgroups and of its id ranges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "node/check.h"
#include "system/proc.h"

#define FILE_LIMIT (4 << 20)

/* Options of a v1 mount that are no controller. */
static const char *const options[] = { "rw",	   "ro",
				       "xattr",	   "clone_children",
				       "noprefix", "cpuset_v2_mode" };

static bool is_option(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(options); i++)
		if (strcmp(options[i], word) == 0)
			return true;
	return text_starts_with(word, "release_agent=");
}

static bool contains(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

static void add_once(struct words *words, const char *word)
{
	if (!contains(words, word))
		words_add(words, word);
}

/* What one line of mountinfo says after " - ": type, source, options. */
static void read_mount(char *tail, bool *unified, struct words *hierarchies)
{
	const char *type = strsep(&tail, " ");

	strsep(&tail, " ");
	if (strcmp(type, "cgroup2") == 0)
		*unified = true;
	if (strcmp(type, "cgroup") != 0)
		return;
	for (char *word; (word = strsep(&tail, ",")) != NULL;)
		if (*word != '\0' && !is_option(word))
			add_once(hierarchies, word);
}

/* v2's controllers, where v2 is all that there is. */
static void read_controllers(struct words *hierarchies)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	char *rest;

	if (file_read("/sys/fs/cgroup/cgroup.controllers", FILE_LIMIT, &content, &ignored) < 0)
		return;
	rest = content.bytes;
	for (char *word; rest != NULL && (word = strsep(&rest, " \n")) != NULL;)
		if (*word != '\0')
			add_once(hierarchies, word);
}

static const char *read_layout(struct words *hierarchies)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	bool unified = false;
	char *rest;

	if (file_read("/proc/self/mountinfo", FILE_LIMIT, &content, &ignored) < 0)
		return NULL;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		char *tail = strstr(line, " - ");

		if (tail != NULL)
			read_mount(tail + 3, &unified, hierarchies);
	}
	if (hierarchies->count > 0)
		return unified ? "hybrid" : "v1";
	if (unified)
		read_controllers(hierarchies);
	return unified ? "v2" : NULL;
}

/* criu dumps the cgroups below that of the container, and for "/" these are all of the node. */
static void check_own(const struct container *container, struct verdicts *verdicts)
{
	CLEANUP(text_release) struct text content = { 0 };

	if (proc_read(container->init_pid, "cgroup", &content) &&
	    (text_starts_with(text_string(&content), "0::/\n") ||
	     strstr(text_string(&content), "\n0::/\n") != NULL))
		verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
			       "container '%s' has no cgroup of its own in the unified hierarchy, "
			       "so that criu would take all cgroups of this node: unmount "
			       "/sys/fs/cgroup/unified and restart it, or migrate it without "
			       "--online",
			       container->id);
}

void check_cgroup(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	CLEANUP(words_release) struct words here = { 0 };
	const char *layout = read_layout(&here);
	struct facts *facts = subject->facts;

	if (!subject->destination) {
		facts->cgroups = layout != NULL ? memory_duplicate(layout) : NULL;
		words_extend(&facts->hierarchies, &here);
		if (layout != NULL && strcmp(layout, "hybrid") == 0)
			check_own(container, verdicts);
		return;
	}
	if (facts->cgroups == NULL)
		return;
	if (layout == NULL || strcmp(layout, facts->cgroups) != 0) {
		verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
			       "the cgroups of this node are %s and those of the source %s, so "
			       "that the container's cannot be restored: boot both the same way, "
			       "or migrate container '%s' without --online",
			       layout != NULL ? layout : "not mounted", facts->cgroups,
			       container->id);
		return;
	}
	for (size_t i = 0; i < facts->hierarchies.count; i++)
		if (!contains(&here, facts->hierarchies.items[i]))
			verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
				       "this node has no cgroups of '%s', in which container "
				       "'%s' is on the source: mount them, or migrate it without "
				       "--online",
				       facts->hierarchies.items[i], container->id);
}

/* Does "/proc/self/uid_map" (lines "INSIDE OUTSIDE COUNT") have the whole range? */
static bool is_mapped(const char *file, const struct id_range *range)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;
	char *rest;

	if (file_read(file, FILE_LIMIT, &content, &ignored) < 0)
		return true;
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		unsigned long first;
		unsigned long count;

		if (sscanf(line, "%lu %*u %lu", &first, &count) == 2 && range->outside >= first &&
		    range->outside + (unsigned long)range->count <= first + count)
			return true;
	}
	return false;
}

void check_idmap(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	const struct runtime *runtime = subject->host->runtime;

	for (size_t i = 0; i < container->range_count; i++) {
		const struct id_range *range = &container->ranges[i];
		const char *what = range->group ? "group" : "user";
		struct error failure = { 0 };

		if (!is_mapped(range->group ? "/proc/self/gid_map" : "/proc/self/uid_map", range))
			verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
				       "container '%s' uses the %s ids %u to %u, which this node "
				       "has not (it is in a user namespace itself): give them to "
				       "it",
				       container->id, what, range->outside,
				       range->outside + range->count - 1);
		else if (runtime->may_map != NULL && runtime->may_map(range, &failure) < 0)
			verdict_fail(verdicts, &failure, EXIT_TECHNOLOGIES);
	}
}
