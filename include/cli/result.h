/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event "result": what became of one container.
 */
#ifndef CLI_RESULT_H
#define CLI_RESULT_H

#include "base/error.h"
#include "migration/migration.h"

/* `failure` is NULL when it moved. */
void result_emit(const struct migration *migration, const struct error *failure);

/* For a container that no migration was tried of, or for none at all (NULL). */
void result_emit_failure(const char *container, const struct error *failure);

/* --recover has nothing left to do for it. */
void result_emit_settled(const char *container);

#endif
