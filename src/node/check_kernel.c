// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the checks of CPU, clock, criu, cgroups and security modules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "node/check.h"
#include "system/criu_probe.h"
#include "system/proc.h"

/* Clocks that somebody keeps (NTP) differ by milliseconds. */
#define SKEW_SAID_MS 2000
#define SKEW_MOST_MS 60000

void check_architecture(const struct check_subject *subject, struct verdicts *verdicts)
{
	struct facts *facts = subject->facts;
	struct utsname here;

	if (uname(&here) < 0)
		return;
	if (!subject->destination)
		facts->machine = memory_duplicate(here.machine);
	else if (facts->machine != NULL && strcmp(facts->machine, here.machine) != 0)
		verdict_refuse(verdicts, EXIT_CPU,
			       "the programs of container '%s' are for %s, and this node is %s: "
			       "choose another destination",
			       subject->host->container.id, facts->machine, here.machine);
}

void check_clock(const struct check_subject *subject, struct verdicts *verdicts)
{
	int64_t skew = subject->arrived_ms - subject->facts->clock_ms;
	int64_t size = skew < 0 ? -skew : skew;

	if (!subject->destination || subject->facts->clock_ms == 0 || size < SKEW_SAID_MS)
		return;
	if (size < SKEW_MOST_MS)
		verdict_remark(verdicts,
			       "the clock of this node is %lld s %s that of the source: set them "
			       "by NTP",
			       (long long)(size / 1000), skew < 0 ? "behind" : "before");
	else
		verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
			       "the clock of this node is %lld s %s that of the source, and so the "
			       "time of container '%s' would jump: set the clocks",
			       (long long)(size / 1000), skew < 0 ? "behind" : "before",
			       subject->host->container.id);
}

void check_cpu(const struct check_subject *subject, struct verdicts *verdicts)
{
	struct error failure = { 0 };
	int outcome = 0;

	if (!subject->destination)
		outcome = criu_dump_cpu(&subject->facts->cpu, &failure);
	else if (subject->facts->cpu.length > 0)
		outcome = criu_check_cpu(&subject->facts->cpu, &failure);
	if (outcome == 0)
		return;
	if (subject->destination && failure.exit_status == EXIT_CPU)
		verdict_refuse(verdicts, EXIT_CPU,
			       "the CPU of this node lacks what the processes of container '%s' "
			       "may be using (%.300s): migrate it without --online",
			       subject->host->container.id, failure.text);
	else
		verdict_fail(verdicts, &failure, EXIT_CPU);
}

/* From this kernel on, criu before that version cannot dump a TCP or UDP socket. */
#define SOCKET_KERNEL 616
#define SOCKET_CRIU 40200

static int kernel_version(void)
{
	struct utsname here;
	int major = 0;
	int minor = 0;

	if (uname(&here) < 0 || sscanf(here.release, "%d.%d", &major, &minor) != 2)
		return 0;
	return major * 100 + minor;
}

void check_criu(const struct check_subject *subject, struct verdicts *verdicts)
{
	struct facts *facts = subject->facts;
	struct error failure = { 0 };
	int version = criu_version(&failure);
	int kernel = kernel_version();

	if (version < 0) {
		verdict_fail(verdicts, &failure, EXIT_RUNTIME);
		return;
	}
	if (kernel >= SOCKET_KERNEL && version < SOCKET_CRIU)
		verdict_refuse(verdicts, EXIT_RUNTIME,
			       "criu %d.%d cannot move sockets on a kernel %d.%d: install criu "
			       "%d.%d or newer",
			       version / 10000, version / 100 % 100, kernel / 100, kernel % 100,
			       SOCKET_CRIU / 10000, SOCKET_CRIU / 100 % 100);
	if (!subject->destination)
		facts->criu = version;
	else if (facts->criu / 100 > version / 100)
		verdict_refuse(verdicts, EXIT_RUNTIME,
			       "criu is %d.%d here and %d.%d on the source, whose images it may "
			       "not understand: install at least the same version",
			       version / 10000, version / 100 % 100, facts->criu / 10000,
			       facts->criu / 100 % 100);
}

#define PARAMETER_LIMIT 4096

static bool has_module(const char *name)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;

	if (strcmp(name, "selinux") == 0)
		return file_exists("/sys/fs/selinux/enforce");
	return file_read("/sys/module/apparmor/parameters/enabled", PARAMETER_LIMIT, &content,
			 &ignored) == 0 &&
	       text_starts_with(text_string(&content), "Y");
}

/* Which module confines the process, or NULL. */
static const char *confinement_of(pid_t pid)
{
	static const struct {
		const char *name;
		const char *file;
	} modules[] = {
		{ "apparmor", "attr/current" },
		{ "selinux", "attr/current" },
	};
	CLEANUP(text_release) struct text label = { 0 };

	for (size_t i = 0; i < COUNT_OF(modules); i++)
		if (has_module(modules[i].name) && proc_read(pid, modules[i].file, &label) &&
		    label.length > 0 && strstr(text_string(&label), "unconfined") == NULL)
			return modules[i].name;
	return NULL;
}

void check_lsm(const struct check_subject *subject, struct verdicts *verdicts)
{
	const struct container *container = &subject->host->container;
	struct facts *facts = subject->facts;

	if (!subject->destination) {
		const char *name = confinement_of(container->init_pid);

		facts->confinement = name != NULL ? memory_duplicate(name) : NULL;
		return;
	}
	if (facts->confinement != NULL && !has_module(facts->confinement))
		verdict_refuse(verdicts, EXIT_TECHNOLOGIES,
			       "the processes of container '%s' are confined by %s, which this "
			       "node has not: turn it on here, or migrate it without --online",
			       container->id, facts->confinement);
}

void check_checkpoint(const struct check_subject *subject, struct verdicts *verdicts)
{
	struct error failure = { 0 };

	if (subject->host->runtime->checkpointable(&subject->host->container, &failure) < 0)
		verdict_fail(verdicts, &failure, EXIT_TECHNOLOGIES);
}
