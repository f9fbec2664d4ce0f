/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fence: a container cannot be started, by hand or at boot, because its configuration file has another
 * name. That holds through a reboot.
 */
#ifndef RUNTIME_FENCE_H
#define RUNTIME_FENCE_H

#include <stdbool.h>

#include "base/error.h"

/* The file `name` of the directory under whichever name it has; NULL when there is none. The caller frees. */
char *fence_path(const char *directory, const char *name);

/* Has a file the name of a fenced one? */
bool fence_is_up(const char *path);

/* Both are idempotent and durable. Without the file there is nothing to fence, which is an error; a
 * directory that is gone has no fence. */
int fence_raise(const char *directory, const char *name, struct error *err);
int fence_lower(const char *directory, const char *name, struct error *err);

#endif
