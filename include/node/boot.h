/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this node has been up since a migration began: after a power loss nothing of what was in
 * memory is there any more, whatever the journal says.
 */
#ifndef NODE_BOOT_H
#define NODE_BOOT_H

#include <stdbool.h>

#include <json-c/json.h>

/* Adds "boot" to a journal's header. */
void boot_note(json_object *header);

/* Has the node been up since? */
bool boot_is_same(json_object *header);

#endif
