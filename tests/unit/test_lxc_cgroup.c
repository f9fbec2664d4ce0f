// SPDX-License-Identifier: GPL-2.0-or-later
/* Into which cgroup of v2 an LXC container is restored: as its configuration says, or one of the migration's own. */
#include "runtime/lxc.h"
#include "system/cgroup.h"
#include "temporary.h"

/* Plans for a container 101 with this configuration; *base is what lxc puts relative names below. */
static void plan(const char *configuration, const char *work, struct lxc_cgroup *cgroup,
		 char **base)
{
	CLEANUP(memory_release) char *file = put_file("config", configuration);
	struct container container = { .id = (char[]){ "101" }, .directory = temporary };
	struct checkpoint checkpoint = { .container = &container, .work = work };
	static const char scope[] = "/init.scope";
	struct error err = { 0 };

	*base = cgroup_of(1, &err);
	assert_non_null(*base);
	if (text_ends_with(*base, scope))
		(*base)[strlen(*base) - strlen(scope)] = '\0';
	if (strcmp(*base, "/") == 0)
		**base = '\0';
	assert_int_equal(lxc_cgroup_plan(&checkpoint, cgroup, &err), 0);
}

static void assert_below(const char *path, const char *base, const char *name)
{
	CLEANUP(memory_release) char *expected = memory_format("%s/%s", base, name);

	assert_string_equal(path, expected);
}

static void test_own(void **state)
{
	CLEANUP(lxc_cgroup_release) struct lxc_cgroup first = { 0 };
	CLEANUP(lxc_cgroup_release) struct lxc_cgroup again = { 0 };
	CLEANUP(lxc_cgroup_release) struct lxc_cgroup other = { 0 };
	CLEANUP(memory_release) char *base = NULL;

	(void)state;
	plan("lxc.uts.name = ct\n", "/run/work-1", &first, &base);
	memory_release(&base);
	plan("lxc.uts.name = ct\n", "/run/work-1", &again, &base);
	memory_release(&base);
	plan("lxc.uts.name = ct\n", "/run/work-2", &other, &base);
	assert_true(text_starts_with(first.container, "lxc.payload.101-"));
	assert_true(text_starts_with(first.monitor, "lxc.monitor.101-"));
	assert_below(first.path, base, first.container);
	assert_string_equal(first.limited, first.path);
	assert_string_equal(first.path, again.path);
	assert_string_not_equal(first.path, other.path);
}

static void test_folder(void **state)
{
	CLEANUP(lxc_cgroup_release) struct lxc_cgroup cgroup = { 0 };
	CLEANUP(memory_release) char *base = NULL;

	(void)state;
	plan("lxc.cgroup.dir = /all/ours/\n", "/run/work-1", &cgroup, &base);
	assert_true(text_starts_with(cgroup.container, "all/ours/lxc.payload.101-"));
	assert_true(text_starts_with(cgroup.monitor, "all/ours/lxc.monitor.101-"));
	assert_below(cgroup.path, base, cgroup.container);
}

static void test_named(void **state)
{
	CLEANUP(lxc_cgroup_release) struct lxc_cgroup cgroup = { 0 };
	CLEANUP(lxc_cgroup_release) struct lxc_cgroup inner = { 0 };
	CLEANUP(memory_release) char *base = NULL;

	(void)state;
	plan("lxc.cgroup.dir.container = web/payload\nlxc.cgroup.dir.monitor = web/monitor\n",
	     "/run/work-1", &cgroup, &base);
	assert_null(cgroup.container);
	assert_null(cgroup.monitor);
	assert_below(cgroup.path, base, "web/payload");
	memory_release(&base);
	plan("lxc.cgroup.dir.container = web/payload\nlxc.cgroup.dir.monitor = web/monitor\n"
	     "lxc.cgroup.dir.container.inner = deep\n",
	     "/run/work-1", &inner, &base);
	assert_below(inner.path, base, "web/payload/deep");
	/* What is inside of it cannot change them. */
	assert_below(inner.limited, base, "web/payload");
}

/* Not even beside v1. */
static bool has_no_unified(void)
{
	struct error ignored;
	CLEANUP(memory_release) char *own = cgroup_of(1, &ignored);

	return own == NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_own),
		FILE_TEST(test_folder),
		FILE_TEST(test_named),
	};

	if (has_no_unified()) {
		print_message("1..0 # SKIP this machine has no cgroup v2\n");
		return 0;
	}
	return RUN_ALL(tests);
}
