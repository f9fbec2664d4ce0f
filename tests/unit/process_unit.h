/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests of child processes share: scripts to run, and a watch over what they leave behind. */
#ifndef PROCESS_UNIT_H
#define PROCESS_UNIT_H

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "base/process.h"
#include "unit.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", script, NULL })
#define OPTIONS(script) ((struct process_options){ PROCESS_DEFAULTS, .argv = SHELL(script) })

static inline int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

/* Fails when a test leaves a descriptor open or a child unwaited. */
static inline int remember_descriptors(void **state)
{
	*state = (void *)(intptr_t)open_descriptors();
	return 0;
}

static inline int compare_descriptors(void **state)
{
	if (open_descriptors() != (int)(intptr_t)*state)
		return -1;
	return kill(0, 0) == 0 && waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : -1;
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, remember_descriptors, compare_descriptors)

#endif
