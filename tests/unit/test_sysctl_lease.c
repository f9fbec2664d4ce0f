// SPDX-License-Identifier: GPL-2.0-or-later
/* Settings that are changed for a while (here a file): the last one puts them back, also after a crash, and nothing
 * is changed that is right, or that somebody else has changed. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/sysctl_lease.h"
#include "temporary.h"

static struct sysctl_lease lease;
static struct error err;

static void set(const char *value)
{
	free(put_file("setting", value));
}

static void assert_setting(const char *value)
{
	CLEANUP(text_release) struct text content = { 0 };

	assert_int_equal(file_read(lease.setting, 100, &content, &err), 0);
	if (strncmp(text_string(&content), value, strlen(value)) != 0)
		fail_msg("it is %s", text_string(&content));
}

static int take(void)
{
	int fd = -2;

	if (sysctl_lease_take(&lease, &fd, &err) < 0)
		fail_msg("%s", err.text);
	return fd;
}

static int set_up(void **state)
{
	if (make_temporary(state) < 0)
		return -1;
	lease = (struct sysctl_lease){
		.setting = in_temporary("setting"),
		.value = "1",
		.file = in_temporary("lease"),
	};
	return 0;
}

static int tear_down(void **state)
{
	free((char *)(uintptr_t)lease.setting);
	free((char *)(uintptr_t)lease.file);
	return remove_temporary(state);
}

static void test_one(void **state)
{
	int fd;

	(void)state;
	set("0\n");
	fd = take();
	assert_true(fd >= 0);
	assert_setting("1");
	sysctl_lease_settle(&lease);
	assert_setting("1");
	sysctl_lease_return(&lease, fd);
	assert_setting("0");
	assert_false(file_exists(lease.file));
	/* Twice is once: the next one's is not given back. */
	close(take());
	sysctl_lease_return(&lease, fd);
	assert_setting("1");
	close(fd);
}

static void test_nothing_to_do(void **state)
{
	int fd;

	(void)state;
	set("1\n");
	fd = take();
	assert_int_equal(fd, -1);
	assert_false(file_exists(lease.file));
	sysctl_lease_return(&lease, fd);
	assert_setting("1");
	assert_int_equal(unlink(lease.setting), 0);
	assert_int_equal(take(), -1);
	assert_false(file_exists(lease.setting));
	sysctl_lease_settle(&lease);
}

static void test_the_last_puts_it_back(void **state)
{
	int fds[3];

	(void)state;
	set("0\n");
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = take();
	sysctl_lease_return(&lease, fds[0]);
	assert_setting("1");
	sysctl_lease_return(&lease, fds[2]);
	assert_setting("1");
	sysctl_lease_return(&lease, fds[1]);
	assert_setting("0");
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
}

/* Nothing of the dead is in the way, and the value from before is not forgotten. */
static void test_crash(void **state)
{
	int fd;

	(void)state;
	set("0\n");
	close(take());
	assert_setting("1");
	sysctl_lease_settle(&lease);
	assert_setting("0");
	assert_false(file_exists(lease.file));
	close(take());
	fd = take();
	assert_true(fd >= 0);
	sysctl_lease_return(&lease, fd);
	assert_setting("0");
	close(fd);
	/* It was to be changed, but was not yet. */
	free(put_file("lease", "0"));
	fd = take();
	assert_setting("1");
	sysctl_lease_return(&lease, fd);
	assert_setting("0");
	close(fd);
}

static void test_changed_meanwhile(void **state)
{
	int fd;

	(void)state;
	set("0\n");
	fd = take();
	set("7\n");
	sysctl_lease_return(&lease, fd);
	assert_setting("7");
	assert_false(file_exists(lease.file));
	close(fd);
}

/* Many at once, of which some die: whoever has it finds the value. */
static void test_many(void **state)
{
	int status;

	(void)state;
	set("0\n");
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			for (int k = 0; k < 100; k++) {
				int fd = take();

				assert_true(fd >= 0);
				assert_setting("1");
				if ((k + i) % 7 != 0)
					sysctl_lease_return(&lease, fd);
				close(fd);
			}
			_exit(0);
		}
	while (wait(&status) > 0)
		assert_int_equal(status, 0);
	sysctl_lease_settle(&lease);
	assert_setting("0");
}

#define LEASE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEASE_TEST(test_one),
		LEASE_TEST(test_nothing_to_do),
		LEASE_TEST(test_the_last_puts_it_back),
		LEASE_TEST(test_crash),
		LEASE_TEST(test_changed_meanwhile),
		LEASE_TEST(test_many),
	};

	return RUN_ALL(tests);
}
