// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the table of checks: which are made on which node, and what --nodeps skips. */
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/wait.h"
#include "node/check.h"
#include "node/memory_way.h"

static const char technologies[] = "technologies";
static const char cpu[] = "cpu_check";

static const struct check checks[] = {
	/* clang-format off */
	/* name, group, sides, use, never skipped, about the start, asks programs, function */
	{ "programs", NULL, CHECK_BOTH, CHECK_ALWAYS, false, true, false, check_programs },
	{ "locked", NULL, CHECK_BOTH, CHECK_ALWAYS, true, false, false, check_locked },
	{ "exists", NULL, CHECK_DESTINATION, CHECK_ALWAYS, true, false, true, check_exists },
	{ "hostname", NULL, CHECK_DESTINATION, CHECK_ALWAYS, false, false, true, check_hostname },
	{ "private_area", NULL, CHECK_DESTINATION, CHECK_ALWAYS, false, false, true, check_private_area },
	{ "ip_address", NULL, CHECK_DESTINATION, CHECK_ALWAYS, false, true, true, check_ip_address },
	{ "disk_space", NULL, CHECK_BOTH, CHECK_ALWAYS, false, false, false, check_disk_space },
	{ "filesystem", technologies, CHECK_BOTH, CHECK_ALWAYS, false, true, false, check_filesystem },
	{ "quota", NULL, CHECK_DESTINATION, CHECK_ALWAYS, false, false, false, check_quota },
	{ "configuration", technologies, CHECK_DESTINATION, CHECK_ALWAYS, false, true, false, check_configuration },
	{ "mounts", technologies, CHECK_BOTH, CHECK_ALWAYS, false, true, false, check_mounts },
	{ "bridge", technologies, CHECK_BOTH, CHECK_ALWAYS, false, true, false, check_bridge },
	{ "idmap", technologies, CHECK_DESTINATION, CHECK_ALWAYS, false, true, false, check_idmap },
	{ "architecture", cpu, CHECK_BOTH, CHECK_ALWAYS, false, true, false, check_architecture },
	{ "clock", NULL, CHECK_BOTH, CHECK_START, false, true, false, check_clock },
	{ "memory", NULL, CHECK_BOTH, CHECK_ONLINE, false, true, false, check_memory },
	{ cpu, NULL, CHECK_BOTH, CHECK_ONLINE, false, true, true, check_cpu },
	{ "criu", NULL, CHECK_BOTH, CHECK_ONLINE, false, true, true, check_criu },
	{ "cgroup", technologies, CHECK_BOTH, CHECK_ONLINE, false, true, false, check_cgroup },
	{ "lsm", technologies, CHECK_BOTH, CHECK_ONLINE, false, true, false, check_lsm },
	{ "checkpoint", technologies, CHECK_SOURCE, CHECK_ONLINE, false, true, false, check_checkpoint },
	{ "processes", technologies, CHECK_SOURCE, CHECK_ONLINE, false, true, false, check_processes },
	{ "iterations", technologies, CHECK_BOTH, CHECK_ONLINE, false, false, false, check_iterations },
	/* clang-format on */
};

/* The words of the Parallels tools that mean nothing to the runtimes here. */
static const char *const foreign[] = { "license", "rate" };

static bool has_word(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

static bool is_skipped(const struct check *check, const struct words *skipped)
{
	return !check->safety && (has_word(skipped, "all") || has_word(skipped, check->name) ||
				  (check->group != NULL && has_word(skipped, check->group)));
}

const char *check_name(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(checks); i++)
		if (strcmp(checks[i].name, name) == 0)
			return checks[i].name;
	return NULL;
}

bool check_is_safety(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(checks); i++)
		if (strcmp(checks[i].name, name) == 0)
			return checks[i].safety;
	return false;
}

bool check_is_selector(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(foreign); i++)
		if (strcmp(foreign[i], word) == 0)
			return true;
	for (size_t i = 0; i < COUNT_OF(checks); i++)
		if (strcmp(checks[i].name, word) == 0 ||
		    (checks[i].group != NULL && strcmp(checks[i].group, word) == 0))
			return true;
	return strcmp(word, "all") == 0;
}

bool checks_leave_stopped(const struct words *skipped)
{
	for (size_t i = 0; i < COUNT_OF(checks); i++)
		if (checks[i].starts && is_skipped(&checks[i], skipped))
			return true;
	return false;
}

static bool is_wanted(const struct check *check, const struct check_subject *subject)
{
	unsigned int side = subject->destination ? CHECK_DESTINATION : CHECK_SOURCE;

	if ((check->sides & side) == 0)
		return false;
	return check->use == CHECK_ALWAYS || (check->use == CHECK_START && subject->starts) ||
	       subject->online;
}

/* Has "programs", the first, found one missing? */
static bool programs_lack(const struct verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++)
		if (strcmp(verdicts->items[i].name, checks[0].name) == 0 &&
		    verdict_stops(&verdicts->items[i]))
			return true;
	return false;
}

static void run_check(const struct check *check, const struct check_subject *subject,
		      struct verdicts *verdicts)
{
	int64_t started = wait_clock();
	size_t before = verdicts->count;

	check->run(subject, verdicts);
	/* Nothing was found. */
	if (verdicts->count == before)
		verdict_add(verdicts, VERDICT_GO, 0, "");
	log_debug("check %s: %d ms", check->name, (int)(wait_clock() - started));
}

void checks_run(const struct check_subject *subject, const struct words *skipped,
		struct verdicts *verdicts)
{
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		const struct check *check = &checks[i];

		if (!is_wanted(check, subject))
			continue;
		verdicts->name = check->name;
		verdicts->failing = check->use == CHECK_ONLINE ? VERDICT_OFFLINE_ONLY : VERDICT_NO;
		if (is_skipped(check, skipped))
			verdict_add(verdicts, VERDICT_SKIPPED, 0, "as asked for by --nodeps");
		else if (check->wants_programs && programs_lack(verdicts))
			verdict_add(verdicts, VERDICT_SKIPPED, 0,
				    "it needs the program that is missing");
		else
			run_check(check, subject, verdicts);
	}
}
