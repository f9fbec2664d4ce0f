/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container needs from outside itself, added to its description: directories that are mounted into
 * it, and files that its configuration names. Each must exist on the destination.
 */
#ifndef RUNTIME_OUTSIDE_H
#define RUNTIME_OUTSIDE_H

#include <stdbool.h>

#include "base/error.h"
#include "runtime/container.h"

/* Is it a file system that every node's kernel has by itself, so that its source is only a word? */
bool outside_is_kernel_type(const char *type);

/*
 * The source of a bind mount, absolute. One inside the private area moves with it, and /proc and /sys are
 * everywhere. EXIT_TECHNOLOGIES when it cannot be looked for on another node.
 */
int outside_add_mount(struct container *container, const char *source, struct error *err);

/* A file that the configuration names; one inside the container's directories moves with them. */
void outside_add_file(struct container *container, const char *file);

/* What mounts a device, whose content does not move: returns -1 with EXIT_TECHNOLOGIES. */
int outside_refuse_device(const struct container *container, const char *source, struct error *err);

#endif
