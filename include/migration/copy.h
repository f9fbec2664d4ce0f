/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps that move bytes: files by rsync, images by rsync.
 */
#ifndef MIGRATION_COPY_H
#define MIGRATION_COPY_H

#include "base/error.h"
#include "migration/migration.h"

/* First pass: everything, while a running container may change it. */
int copy_files(struct migration *migration, struct error *err);

/* Second pass: what changed since, now that nothing runs. */
int copy_last(struct migration *migration, struct error *err);

/* criu's images, from our tmpfs to theirs. */
int copy_images(struct migration *migration, struct error *err);

#endif
