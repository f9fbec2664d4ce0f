// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for settings of the kernel that are changed for a while, and put back by whoever is last. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/sysctl_lease.h"

#define VALUE_SIZE 64

/* Others hold the file alone only while they change the setting: some microseconds. */
#define RETRY_MS 5
#define RETRY_LIMIT_MS 5000

static bool read_word(int fd, char word[VALUE_SIZE])
{
	ssize_t length = pread(fd, word, VALUE_SIZE - 1, 0);

	word[length > 0 ? length : 0] = '\0';
	word[strcspn(word, " \t\n")] = '\0';
	return word[0] != '\0';
}

static bool read_setting(const struct sysctl_lease *lease, char value[VALUE_SIZE])
{
	CLEANUP(descriptor_close) int fd = open(lease->setting, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read_word(fd, value);
}

static bool has_value(const struct sysctl_lease *lease)
{
	char value[VALUE_SIZE];

	return read_setting(lease, value) && strcmp(value, lease->value) == 0;
}

/* Who was last has removed it. */
static bool is_current(const struct sysctl_lease *lease, int fd)
{
	return file_is_named(fd, lease->file);
}

/* With the file alone ours: what was there before is noted, and then changed. What a crash left is noted
 * already. Returns 0 when nothing had to be changed, so that nothing is noted. */
static int change(const struct sysctl_lease *lease, int fd, struct error *err)
{
	char before[VALUE_SIZE];
	ssize_t length;

	if (!read_word(fd, before)) {
		if (has_value(lease))
			return 0;
		if (!read_setting(lease, before))
			return error_system(err, "cannot read '%s'", lease->setting);
		length = (ssize_t)strlen(before);
		if (pwrite(fd, before, (size_t)length, 0) != length)
			return error_system(err, "cannot write '%s'", lease->file);
	}
	return file_put(lease->setting, lease->value, err) < 0 ? -1 : 1;
}

/* With the file alone ours. What somebody else has set meanwhile stays. */
static void put_back(const struct sysctl_lease *lease, int fd)
{
	char before[VALUE_SIZE];
	struct error failure;

	if (!is_current(lease, fd))
		return;
	if (read_word(fd, before) && has_value(lease) &&
	    file_put(lease->setting, before, &failure) < 0)
		log_warning("%s", failure.text);
	unlink(lease->file);
}

/* Returns 1, with the lock in *fd where there is one; 0: to be tried again. */
static int try_to_take(const struct sysctl_lease *lease, int *fd, struct error *err)
{
	CLEANUP(descriptor_close)
	int opened = open(lease->file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (opened < 0)
		return error_system(err, "cannot open '%s'", lease->file);
	/* Alone: nobody wants it yet. Then the lock becomes a shared one, which may fail when somebody
	 * comes between. */
	if (flock(opened, LOCK_EX | LOCK_NB) == 0 && is_current(lease, opened)) {
		int changed = change(lease, opened, err);

		if (changed <= 0) {
			put_back(lease, opened);
			return changed < 0 ? -1 : 1;
		}
	}
	if (flock(opened, LOCK_SH | LOCK_NB) < 0 || !is_current(lease, opened) || !has_value(lease))
		return 0;
	*fd = descriptor_steal(&opened);
	return 1;
}

int sysctl_lease_take(const struct sysctl_lease *lease, int *fd, struct error *err)
{
	int64_t deadline = wait_clock() + RETRY_LIMIT_MS;
	int taken;

	*fd = -1;
	if (access(lease->setting, F_OK) < 0)
		return 0;
	while ((taken = try_to_take(lease, fd, err)) == 0) {
		if (wait_clock() >= deadline)
			return error_set(err, "'%s' does not stay %s", lease->setting,
					 lease->value);
		if (wait_sleep(RETRY_MS, err) < 0)
			return -1;
	}
	return taken < 0 ? -1 : 0;
}

void sysctl_lease_return(const struct sysctl_lease *lease, int fd)
{
	/* Where others want it too this takes our lock away as well. */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		put_back(lease, fd);
		flock(fd, LOCK_UN);
	}
}

void sysctl_lease_settle(const struct sysctl_lease *lease)
{
	CLEANUP(descriptor_close) int fd = open(lease->file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	sysctl_lease_return(lease, fd);
}
