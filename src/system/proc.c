// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading files and links of /proc/PID. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "system/proc.h"

#define FILE_LIMIT (16 << 20)

/* In stat, counted from the name in parentheses (proc(5)). */
#define START_TIME_FIELD 20

bool proc_read(pid_t pid, const char *name, struct text *content)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/%s", (int)pid, name);
	struct error ignored;

	text_clear(content);
	return file_read(path, FILE_LIMIT, content, &ignored) == 0;
}

bool proc_link(pid_t pid, const char *name, char *target, size_t size)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/%s", (int)pid, name);
	ssize_t length = readlink(path, target, size - 1);

	target[length > 0 ? length : 0] = '\0';
	return length > 0;
}

void proc_name(pid_t pid, char name[PROC_NAME_SIZE])
{
	CLEANUP(text_release) struct text comm = { 0 };

	proc_read(pid, "comm", &comm);
	text_printable(name, PROC_NAME_SIZE, text_string(&comm), strcspn(text_string(&comm), "\n"));
}

/* "PID (name) STATE PPID PGRP SESSION TTY …"; the name may have blanks and parentheses. */
static void read_stat(pid_t pid, int *parent, int *terminal)
{
	CLEANUP(text_release) struct text stat = { 0 };
	const char *end;

	*parent = 0;
	*terminal = 0;
	if (!proc_read(pid, "stat", &stat))
		return;
	end = strrchr(text_string(&stat), ')');
	if (end == NULL || sscanf(end + 1, " %*c %d %*d %*d %d", parent, terminal) != 2)
		*parent = *terminal = 0;
}

pid_t proc_parent(pid_t pid)
{
	int parent;
	int terminal;

	read_stat(pid, &parent, &terminal);
	return (pid_t)parent;
}

int proc_terminal(pid_t pid)
{
	int parent;
	int terminal;

	read_stat(pid, &parent, &terminal);
	return terminal;
}

char proc_state(const struct text *stat)
{
	const char *end = strrchr(text_string(stat), ')');

	if (end == NULL || !text_starts_with(end, ") "))
		return '\0';
	return end[2];
}

uint64_t proc_start_time(pid_t pid)
{
	CLEANUP(text_release) struct text stat = { 0 };
	const char *at;

	if (!proc_read(pid, "stat", &stat))
		return 0;
	at = strrchr(text_string(&stat), ')');
	for (int field = 0; at != NULL && field < START_TIME_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

int64_t proc_number(const struct text *content, const char *label)
{
	const char *at = text_string(content);

	while (*at != '\0') {
		if (text_starts_with(at, label))
			return strtoll(at + strlen(label), NULL, 10);
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return -1;
}

/* "NSpid:\t1234\t1". */
pid_t proc_pid_inside(pid_t pid, int depth, int *depths)
{
	CLEANUP(text_release) struct text status = { 0 };
	const char *at;
	pid_t inside = 0;
	char *end;

	*depths = 0;
	if (!proc_read(pid, "status", &status))
		return 0;
	at = strstr(text_string(&status), "\nNSpid:");
	if (at == NULL)
		return 0;
	at += strlen("\nNSpid:");
	for (;; at = end) {
		long number = strtol(at, &end, 10);

		if (end == at || *at == '\n')
			return inside;
		if (++*depths == depth)
			inside = (pid_t)number;
	}
}
