/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something failed: one sentence, told from the outside in, and the exit status it maps to.
 *
 * A function that can fail returns 0 or -1 (or a descriptor, or a count) and takes a
 * `struct error *err` last. It fills *err only when it fails. The struct owns no memory, so it can
 * be copied, forgotten, and sent over the wire as it is.
 *
 * Sentences are lower case without a full stop: what failed, on which node, why, what to do.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

/* The published exit statuses (man page, EXIT STATUS): never renumbered. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_USAGE = 1,
	EXIT_VE_STOPPED = 2,
	EXIT_CONNECT = 4,
	EXIT_COPY = 6,
	EXIT_VE_START = 7,
	EXIT_VE_STOP = 8,
	EXIT_EXISTS = 9,
	EXIT_NOTEXIST = 10,
	EXIT_IP_INUSE = 12,
	EXIT_QUOTA = 13,
	EXIT_RUNTIME = 14,
	EXIT_CPU = 18,
	EXIT_LOCKED = 20,
	EXIT_INTERRUPTED = 25,
	EXIT_DISK_SPACE = 31,
	EXIT_TECHNOLOGIES = 32,
	EXIT_UNRESOLVED = 110,
};

struct error {
	int exit_status; /* an enum exit_status, or 0: the caller that knows the stage decides */
	char text[1024]; /* longer sentences are cut, at a character */
};

/* Each returns -1, so that a failing function ends with `return error_set(err, ...)`. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with the exit status. */
int error_exit(struct error *err, enum exit_status exit_status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends ": " and the text of errno. */
int error_system(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "what was being done: " before the text that is there. */
int error_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives the failure its status where none was set deeper down. */
int error_default(struct error *err, enum exit_status exit_status);

/* "EXIT_COPY" for 6; "EXIT_UNKNOWN" for what is not published. */
const char *exit_status_name(int exit_status);

/* Is it a published one, and not EXIT_OK? */
bool exit_status_is_failure(int exit_status);

#endif
