/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The step that begins the migration on both nodes: their journals, and room for the copy.
 */
#ifndef MIGRATION_BEGIN_H
#define MIGRATION_BEGIN_H

#include "base/error.h"

struct migration;

int begin_create(struct migration *migration, struct error *err);

#endif
