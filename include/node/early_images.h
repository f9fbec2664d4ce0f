/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a runtime writes into the images' directory before criu dumps: the texts that its restore reads before it
 * executes criu. They are small, and go ahead of the images, so that the restore can be started meanwhile.
 */
#ifndef NODE_EARLY_IMAGES_H
#define NODE_EARLY_IMAGES_H

#include <json-c/json.h>

#include "base/error.h"

/* {name: text} of all files in the directory; criu's logs do not count. NULL when they cannot go ahead: there are
 * many, one is long, or no plain text. The caller owns it. */
json_object *early_images_read(const char *directory);

/* Writes them, as a peer sent them. The images that come later replace them. */
int early_images_write(const char *directory, json_object *files, struct error *err);

#endif
