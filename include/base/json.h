/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading JSON that somebody else wrote (a peer, a journal): every field is asked for by name and
 * type, and what is missing, of another type or out of bounds is an error that names the field.
 * What is returned is borrowed from the object.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/error.h"
#include "base/text.h"

void json_release(json_object **object); /* for CLEANUP */

/* At most `limit` bytes, and no zero byte inside. NULL with *err when it is not so. */
const char *json_get_text(json_object *object, const char *name, size_t limit, struct error *err);

/* A plain absolute path (file_path_is_plain()). */
const char *json_get_path(json_object *object, const char *name, struct error *err);

/* The text, or NULL when the field is missing, null or no text. */
const char *json_find_text(json_object *object, const char *name);

int json_get_number(json_object *object, const char *name, int64_t least, int64_t most,
		    int64_t *number, struct error *err);

/* False when missing. */
bool json_find_flag(json_object *object, const char *name);

/* The field's object or array. NULL with *err when it is missing or of another type. */
json_object *json_get_object(json_object *object, const char *name, struct error *err);
json_object *json_get_array(json_object *object, const char *name, size_t limit, struct error *err);

/* An array of texts appended to words. */
int json_get_words(json_object *object, const char *name, size_t limit, struct words *words,
		   struct error *err);

/* Writing: NULL text becomes null. */
void json_add_text(json_object *object, const char *name, const char *text);
void json_add_number(json_object *object, const char *name, int64_t number);
void json_add_flag(json_object *object, const char *name, bool flag);
void json_add_words(json_object *object, const char *name, const struct words *words);

#endif
