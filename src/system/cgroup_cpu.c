// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for how much CPU time a cgroup may use. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "system/cgroup_cpu.h"

/* The kernel's own default of a period, and the least quota that it takes. */
#define PERIOD_US 100000
#define QUOTA_MIN_US 1000

#define VALUE_MAX 64

/* What the two versions call it. v1 keeps quota and period in two files, and only the quota is changed. */
static const char *const files[] = { "cpu.max", "cpu.cfs_quota_us" };

static bool is_cgroup(const char *path)
{
	return text_starts_with(path, "/sys/fs/cgroup/") && file_path_is_plain(path);
}

static char *file_of(const char *path, bool *unified, struct error *err)
{
	if (!is_cgroup(path)) {
		error_set(err, "'%s' is no cgroup", path);
		return NULL;
	}
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		CLEANUP(memory_release) char *file = memory_format("%s/%s", path, files[i]);

		*unified = i == 0;
		if (file_exists(file))
			return memory_steal(&file);
	}
	error_set(err, "the CPU time of the cgroup '%s' cannot be limited", path);
	return NULL;
}

char *cgroup_cpu_read(const char *path, struct error *err)
{
	bool unified;
	CLEANUP(memory_release) char *file = file_of(path, &unified, err);
	CLEANUP(text_release) struct text content = { 0 };

	if (file == NULL || file_read(file, VALUE_MAX, &content, err) < 0)
		return NULL;
	return memory_duplicate(text_strip(content.bytes));
}

/* What `before` allows in a period of PERIOD_US: "max 100000" or "50000 100000"; v1: "-1" or "50000". */
static double allowed(const char *before)
{
	char *end;
	double quota = strtod(before, &end);
	double period = strtod(end, NULL);

	if (end == before || quota <= 0)
		return (double)sysconf(_SC_NPROCESSORS_ONLN) * PERIOD_US;
	return period > 0 ? quota * PERIOD_US / period : quota;
}

int cgroup_cpu_limit(const char *path, const char *before, int percent, struct error *err)
{
	bool unified;
	CLEANUP(memory_release) char *file = file_of(path, &unified, err);
	long quota = (long)(allowed(before) * percent / 100);
	CLEANUP(memory_release) char *value = NULL;

	if (file == NULL)
		return -1;
	if (quota < QUOTA_MIN_US)
		quota = QUOTA_MIN_US;
	value = unified ? memory_format("%ld %d", quota, PERIOD_US) : memory_format("%ld", quota);
	return file_put(file, value, err);
}

int cgroup_cpu_put_back(const char *path, const char *before, struct error *err)
{
	bool unified;
	CLEANUP(memory_release) char *file = NULL;

	if (is_cgroup(path) && !file_exists(path))
		return 0;
	file = file_of(path, &unified, err);
	return file == NULL ? -1 : file_put(file, before, err);
}
