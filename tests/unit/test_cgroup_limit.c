// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits of cgroups: which names and places are taken for such, and that they get there. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "system/cgroup_limit.h"
#include "unit.h"

static void test_names(void **state)
{
	static const char *const limits[] = { "memory.max", "cpu.weight.nice", "hugetlb.2MB.max",
					      "io.max" };
	static const char *const others[] = { "",
					      "memory",
					      "memory.",
					      ".max",
					      "cgroup.kill",
					      "cgroup.freeze",
					      "a.b/../../c",
					      "/etc/a.b",
					      "memory.max\n" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(limits); i++)
		assert_true(cgroup_limit_has_name(limits[i]));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(cgroup_limit_has_name(others[i]));
}

static void test_places(void **state)
{
	static const char *const places[] = { "/tmp", "/sys/fs/cgroup", "/sys/fs/cgroup/../tmp",
					      "sys/fs/cgroup/a" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct error err = { 0 };

		assert_int_equal(cgroup_limit_set(places[i], "memory.max", "1", &err), -1);
		assert_non_null(strstr(err.text, "is no cgroup"));
	}
}

/* In a cgroup of either version whose number of processes can be limited; only root can make one. */
static int make_cgroup(void **state)
{
	static const char *const above[] = { "/sys/fs/cgroup/pids", "/sys/fs/cgroup" };

	*state = NULL;
	for (size_t i = 0; i < COUNT_OF(above) && *state == NULL; i++) {
		char *cgroup = memory_format("%s/vzmigrate-unit-%d", above[i], (int)getpid());

		if (mkdir(cgroup, 0700) == 0)
			*state = cgroup;
		else
			free(cgroup);
	}
	return 0;
}

static int remove_cgroup(void **state)
{
	CLEANUP(memory_release) char *cgroup = *state;

	return cgroup != NULL ? rmdir(cgroup) : 0;
}

static void test_written(void **state)
{
	const char *cgroup = *state;
	CLEANUP(memory_release) char *file = NULL;
	CLEANUP(text_release) struct text content = { 0 };
	struct error err = { 0 };

	if (cgroup == NULL)
		skip();
	file = memory_format("%s/pids.max", cgroup);
	assert_int_equal(cgroup_limit_set(cgroup, "pids.max", "77", &err), 0);
	assert_int_equal(file_read(file, 64, &content, &err), 0);
	assert_string_equal(text_string(&content), "77\n");
	assert_int_equal(cgroup_limit_set(cgroup, "pids.max", "many", &err), -1);
	assert_non_null(strstr(err.text, "cannot write 'many'"));
	assert_int_equal(cgroup_limit_set(cgroup, "pids.maxx", "77", &err), -1);
	assert_non_null(strstr(err.text, "pids.maxx'"));
	assert_int_equal(cgroup_limit_set(cgroup, "cgroup.procs", "1", &err), -1);
	assert_non_null(strstr(err.text, "is no limit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_places),
		cmocka_unit_test_setup_teardown(test_written, make_cgroup, remove_cgroup),
	};

	return RUN_ALL(tests);
}
