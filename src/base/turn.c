// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for letting processes of one run take turns. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/turn.h"
#include "base/wait.h"

/* Whoever waits looks this often: nothing is stopped meanwhile, and a lock cannot be polled for. */
#define LOOK_MS 20

/* Each turn is one byte of the file. */
static int set_lock(int turns, enum turn turn, short type)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)turn,
		.l_len = 1,
	};

	return fcntl(turns, F_SETLK, &lock);
}

int turn_make(struct error *err)
{
	int turns = memfd_create("vzmigrate-turns", MFD_CLOEXEC);

	return turns < 0 ? error_system(err, "cannot make a file in memory") : turns;
}

int turn_take(int turns, enum turn turn, struct error *err)
{
	while (turns > 0 && set_lock(turns, turn, F_WRLCK) < 0) {
		if (errno != EACCES && errno != EAGAIN)
			return error_system(err, "cannot take turns");
		if (wait_sleep(LOOK_MS, err) < 0)
			return -1;
	}
	return 0;
}

void turn_give(int turns, enum turn turn)
{
	if (turns > 0)
		set_lock(turns, turn, F_UNLCK);
}
