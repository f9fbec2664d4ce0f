// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding the processes of a migration. */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/proc.h"
#include "system/processes.h"

#define INTERVAL_MS 20

/* How deep below its login a process may be. */
#define ANCESTORS_MAX 64

/* Words end in zero bytes: an argument, or the value of NAME=VALUE. */
static bool names(const struct text *words, const char *directory, bool values)
{
	const char *end = words->bytes + words->length;
	size_t length = strlen(directory);

	for (const char *at = words->bytes; at < end; at += strlen(at) + 1) {
		const char *value = values ? strchr(at, '=') : NULL;
		const char *path = value != NULL ? value + 1 : at;

		if (strncmp(path, directory, length) == 0 && path[length] == '/')
			return true;
	}
	return false;
}

static bool file_names(pid_t pid, const char *file, const char *directory, bool values)
{
	CLEANUP(text_release) struct text words = { 0 };

	return proc_read(pid, file, &words) && words.length > 0 && names(&words, directory, values);
}

/* The next process of this node but this one; 0: no more. */
static pid_t next_process(DIR *processes)
{
	struct dirent *entry;

	while (processes != NULL && (entry = readdir(processes)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (isdigit((unsigned char)entry->d_name[0]) && pid != getpid())
			return pid;
	}
	return 0;
}

static bool is_called(pid_t pid, const char *program)
{
	char name[PROC_NAME_SIZE];

	proc_name(pid, name);
	return strcmp(name, program) == 0;
}

/* Another mode of this program; a hook, or what stands in for criu, goes by the name of its link. */
static bool is_program(pid_t pid)
{
	char own[PROC_NAME_SIZE];

	proc_name(getpid(), own);
	return is_called(pid, own);
}

bool processes_name(const char *directory, const char *work)
{
	DIR *processes = opendir("/proc");
	bool found = false;
	pid_t pid;

	while (!found && (pid = next_process(processes)) != 0)
		found = (file_names(pid, "cmdline", directory, false) && !is_program(pid)) ||
			(work != NULL && file_names(pid, "environ", work, true));
	if (processes != NULL)
		closedir(processes);
	return found;
}

int processes_wait_for_end(const char *directory, const char *work, int timeout_ms,
			   struct error *err)
{
	int64_t deadline = wait_clock() + timeout_ms;

	while (processes_name(directory, work)) {
		if (wait_clock() >= deadline)
			return error_set(err, "programs that work in '%s' do not end", directory);
		if (wait_sleep(INTERVAL_MS, err) < 0)
			return -1;
	}
	return 0;
}

/* The sshd below which the process was started; 0: none. */
static pid_t login_of(pid_t pid)
{
	char name[PROC_NAME_SIZE];

	for (int depth = 0; pid > 1 && depth < ANCESTORS_MAX; depth++) {
		pid = proc_parent(pid);
		proc_name(pid, name);
		if (text_starts_with(name, "sshd"))
			return pid;
	}
	return 0;
}

/* Returns how many there were. */
static size_t signal_of_login(pid_t login, const char *program, int number)
{
	DIR *processes = opendir("/proc");
	size_t count = 0;
	pid_t pid;

	while ((pid = next_process(processes)) != 0)
		count +=
			is_called(pid, program) && login_of(pid) == login && kill(pid, number) == 0;
	if (processes != NULL)
		closedir(processes);
	return count;
}

void processes_end_of_login(const char *program, int timeout_ms)
{
	int64_t deadline = wait_clock() + timeout_ms;
	pid_t login = login_of(getpid());
	struct error ignored;

	if (login == 0 || signal_of_login(login, program, SIGTERM) == 0)
		return;
	while (signal_of_login(login, program, 0) > 0 && wait_clock() < deadline)
		if (wait_sleep(INTERVAL_MS, &ignored) < 0)
			return;
}

void processes_kill(const char *directory, const char *program)
{
	DIR *processes = opendir("/proc");
	pid_t pid;

	while ((pid = next_process(processes)) != 0)
		if (is_called(pid, program) && (file_names(pid, "cmdline", directory, false) ||
						file_names(pid, "environ", directory, true)))
			kill(pid, SIGKILL);
	if (processes != NULL)
		closedir(processes);
}
