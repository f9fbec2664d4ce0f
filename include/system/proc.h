/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what /proc tells of one process. Any of it may be gone at any moment.
 */
#ifndef SYSTEM_PROC_H
#define SYSTEM_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

#define PROC_NAME_SIZE 32

/* The program's name, printable; "" when the process is gone. */
void proc_name(pid_t pid, char name[PROC_NAME_SIZE]);

/* Where the link /proc/PID/NAME leads, as much as fits; false when it is not there. */
bool proc_link(pid_t pid, const char *name, char *target, size_t size);

/* The whole of /proc/PID/NAME, at most some MiB. */
bool proc_read(pid_t pid, const char *name, struct text *content);

/* From /proc/PID/stat; 0 when it is gone or has none. */
pid_t proc_parent(pid_t pid);
int proc_terminal(pid_t pid); /* the controlling terminal's device number, as in stat */

/* The letter of the state in the text of a stat file; '\0': there is none. */
char proc_state(const struct text *stat);

/* When it was started, in the kernel's ticks: with the pid, which process it is. 0 when it is gone. */
uint64_t proc_start_time(pid_t pid);

/* Its pid in the pid namespace at a depth (1: the one that /proc is of); 0: it has none there. *depths: in how many
 * it is, 0 when it is gone. */
pid_t proc_pid_inside(pid_t pid, int depth, int *depths);

/* The number in the line that begins with `label` of text such as fdinfo or status; -1: none. */
int64_t proc_number(const struct text *content, const char *label);

#endif
