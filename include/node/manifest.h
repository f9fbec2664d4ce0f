/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a directory of criu's images must hold: the names and sizes of all its files. rsync checks the
 * content of each file that it sends, ssh each byte; this says that none is missing, short or of an earlier
 * attempt, before the restore begins.
 */
#ifndef NODE_MANIFEST_H
#define NODE_MANIFEST_H

#include <json-c/json.h>

#include "base/error.h"

/* {name: size} of the images; criu's logs do not count. The caller owns it; NULL on failure. */
json_object *manifest_make(const char *directory, struct error *err);

/* Does the directory hold exactly that? EXIT_COPY names the first file that is wrong. */
int manifest_check(const char *directory, json_object *manifest, struct error *err);

#endif
