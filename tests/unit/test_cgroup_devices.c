// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules for devices: how they are read, and what the kernel makes of them for processes of a cgroup. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/process.h"
#include "system/cgroup_devices.h"
#include "temporary.h"

static void test_read(void **state)
{
	CLEANUP(device_rules_release) struct device_rules rules = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(device_rules_add(&rules, "a", true, &err), 0);
	assert_true(rules.others);
	assert_int_equal(device_rules_add(&rules, "a *:* rwm", false, &err), 0);
	assert_false(rules.others);
	assert_int_equal(device_rules_add(&rules, "c *:* m", true, &err), 0);
	assert_int_equal(device_rules_add(&rules, " b  8:17   rw ", true, &err), 0);
	assert_int_equal(device_rules_add(&rules, "/dev/null", true, &err), 0);
	assert_int_equal(device_rules_add(&rules, "c 1:3 rwm", false, &err), 0);
	assert_int_equal(rules.count, 3);
	assert_int_equal(rules.items[0].type, BPF_DEVCG_DEV_CHAR);
	assert_true(rules.items[0].major == -1 && rules.items[0].minor == -1);
	assert_int_equal(rules.items[0].access, BPF_DEVCG_ACC_MKNOD);
	assert_int_equal(rules.items[1].type, BPF_DEVCG_DEV_BLOCK);
	assert_true(rules.items[1].major == 8 && rules.items[1].minor == 17);
	assert_int_equal(rules.items[1].access, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE);
	/* The second one for the same takes the place of the first. */
	assert_true(rules.items[2].major == 1 && rules.items[2].minor == 3);
	assert_false(rules.items[2].allow);
}

static void test_refused(void **state)
{
	static const char *const wrong[] = {
		"",	     "d 1:3 rwm",    "c 1:3",	  "c 1 rwm",	"c 1:3 rx",
		"c :3 r",    "c 1: r",	     "c -1:3 r",  "c 4096:1 r", "c 1:1048576 r",
		"c 1:3 r w", "c 1:3:4 r",    "c 0x1:3 r", "cc 1:3 r",	"c 1:3 \"\"",
		"/dev",	     "/dev/nothing", "c +1:3 r"
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CLEANUP(device_rules_release) struct device_rules rules = { 0 };
		struct error err = { 0 };

		if (device_rules_add(&rules, wrong[i], true, &err) == 0)
			fail_msg("'%s' is taken for a rule", wrong[i]);
		assert_int_equal(rules.count, 0);
	}
}

/* A cgroup of v2, which is also there beside v1; only root can make one. */
static int make_cgroup(void **state)
{
	static const char *const above[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

	*state = NULL;
	for (size_t i = 0; i < COUNT_OF(above) && *state == NULL; i++) {
		CLEANUP(memory_release) char *file = memory_format("%s/cgroup.procs", above[i]);
		char *cgroup = memory_format("%s/vzmigrate-unit-%d", above[i], (int)getpid());

		if (file_exists(file) && mkdir(cgroup, 0700) == 0)
			*state = cgroup;
		else
			free(cgroup);
	}
	return make_temporary(NULL);
}

static int remove_cgroup(void **state)
{
	CLEANUP(memory_release) char *cgroup = *state;
	int result = cgroup != NULL ? rmdir(cgroup) : 0;

	return remove_temporary(NULL) < 0 ? -1 : result;
}

static bool may_open(const char *path, int mode)
{
	CLEANUP(descriptor_close) int fd = open(path, mode | O_CLOEXEC);

	return fd >= 0;
}

static bool may_make(const char *name, mode_t type, unsigned int major, unsigned int minor)
{
	CLEANUP(memory_release) char *path = in_temporary(name);

	if (mknod(path, type | 0600, makedev(major, minor)) == 0)
		return unlink(path) == 0;
	return errno != EPERM;
}

/* In the cgroup: what of all that is tried may be done, a bit each. */
static int try_all(void *data)
{
	CLEANUP(memory_release) char *procs = memory_format("%s/cgroup.procs", (char *)data);
	struct error err = { 0 };

	if (file_put(procs, "0", &err) < 0)
		return 255;
	return may_open("/dev/null", O_RDWR) | may_open("/dev/zero", O_RDONLY) << 1 |
	       may_open("/dev/zero", O_RDWR) << 2 | may_open("/dev/full", O_RDONLY) << 3 |
	       may_make("null", S_IFCHR, 1, 3) << 4 | may_make("disk", S_IFBLK, 8, 0) << 5 |
	       may_make("fifo", S_IFIFO, 0, 0) << 6;
}

enum {
	NULL_OPEN = 1,
	ZERO_READ = 2,
	ZERO_WRITE = 4,
	FULL_READ = 8,
	NULL_MAKE = 16,
	DISK_MAKE = 32,
	FIFO_MAKE = 64,
	EVERYTHING = 127,
};

struct rule {
	const char *text;
	bool allow;
};

static void assert_may(void **state, const struct rule *rule, int expected)
{
	CLEANUP(device_rules_release) struct device_rules rules = { 0 };
	CLEANUP(process_release) struct process process = { 0 };
	struct error err = { 0 };

	for (; rule->text != NULL; rule++)
		assert_int_equal(device_rules_add(&rules, rule->text, rule->allow, &err), 0);
	if (cgroup_devices_limit(*state, &rules, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(process_fork(&process, try_all, *state, NULL, 0, &err), 0);
	assert_int_equal(process_wait(&process, 10000, &err), expected);
}

static void test_nothing_but(void **state)
{
	static const struct rule rules[] = { { "a", false },
					     { "c *:* m", true },
					     { "c 1:3 rwm", true },
					     { "c 1:5 r", true },
					     { NULL, false } };

	if (*state == NULL)
		skip();
	assert_may(state, rules, NULL_OPEN | ZERO_READ | NULL_MAKE | FIFO_MAKE);
}

static void test_all_but(void **state)
{
	static const struct rule rules[] = { { "a", true },
					     { "c 1:5 rwm", false },
					     { "b 8:* rwm", false },
					     { "/dev/full", false },
					     { NULL, false } };

	if (*state == NULL)
		skip();
	assert_may(state, rules, NULL_OPEN | NULL_MAKE | FIFO_MAKE);
}

static void test_first_that_fits(void **state)
{
	static const struct rule rules[] = {
		{ "c 1:3 rwm", false }, { "c 1:* rwm", true }, { "b *:* m", true }, { NULL, false }
	};

	if (*state == NULL)
		skip();
	assert_may(state, rules, ZERO_READ | ZERO_WRITE | FULL_READ | DISK_MAKE | FIFO_MAKE);
}

static void test_everything(void **state)
{
	static const struct rule rules[] = { { "a", true }, { NULL, false } };

	if (*state == NULL)
		skip();
	assert_may(state, rules, EVERYTHING);
}

static void test_places(void **state)
{
	CLEANUP(device_rules_release) struct device_rules rules = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(cgroup_devices_limit("/tmp", &rules, &err), -1);
	assert_int_equal(cgroup_devices_limit("/sys/fs/cgroup/../tmp", &rules, &err), -1);
	assert_int_equal(cgroup_devices_limit("/sys/fs/cgroup/not there", &rules, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
}

#define CGROUP_TEST(test) cmocka_unit_test_setup_teardown(test, make_cgroup, remove_cgroup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),	   cmocka_unit_test(test_refused),
		CGROUP_TEST(test_nothing_but),	   CGROUP_TEST(test_all_but),
		CGROUP_TEST(test_first_that_fits), CGROUP_TEST(test_everything),
		cmocka_unit_test(test_places),
	};

	return RUN_ALL(tests);
}
