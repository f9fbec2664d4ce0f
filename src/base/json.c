// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading and writing fields of JSON objects with their checks. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"

/* The longest path and the longest item of a list. */
#define TEXT_LIMIT 4095

void json_release(json_object **object)
{
	json_object_put(*object);
	*object = NULL;
}

static json_object *find(json_object *object, const char *name, json_type type)
{
	json_object *field = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &field) || !json_object_is_type(field, type))
		return NULL;
	return field;
}

/* Is the text at most `limit` bytes, none of them zero? */
static bool fits(json_object *text, size_t limit)
{
	size_t length = (size_t)json_object_get_string_len(text);

	return length <= limit && strlen(json_object_get_string(text)) == length;
}

const char *json_get_text(json_object *object, const char *name, size_t limit, struct error *err)
{
	json_object *field = find(object, name, json_type_string);

	if (field == NULL) {
		error_set(err, "the message has no text '%s'", name);
		return NULL;
	}
	if (!fits(field, limit)) {
		error_set(err, "the text '%s' of the message is too long or has a zero byte", name);
		return NULL;
	}
	return json_object_get_string(field);
}

const char *json_get_path(json_object *object, const char *name, struct error *err)
{
	const char *path = json_get_text(object, name, TEXT_LIMIT, err);

	if (path != NULL && !file_path_is_plain(path)) {
		error_set(err, "'%s' of the message is not a plain absolute path", name);
		return NULL;
	}
	return path;
}

const char *json_find_text(json_object *object, const char *name)
{
	json_object *field = find(object, name, json_type_string);

	return field != NULL ? json_object_get_string(field) : NULL;
}

int json_get_number(json_object *object, const char *name, int64_t least, int64_t most,
		    int64_t *number, struct error *err)
{
	json_object *field = find(object, name, json_type_int);

	if (field == NULL)
		return error_set(err, "the message has no number '%s'", name);
	*number = json_object_get_int64(field);
	if (*number < least || *number > most)
		return error_set(err, "the number '%s' of the message is out of range", name);
	return 0;
}

bool json_find_flag(json_object *object, const char *name)
{
	json_object *field = find(object, name, json_type_boolean);

	return field != NULL && json_object_get_boolean(field);
}

json_object *json_get_object(json_object *object, const char *name, struct error *err)
{
	json_object *field = find(object, name, json_type_object);

	if (field == NULL)
		error_set(err, "the message has no object '%s'", name);
	return field;
}

json_object *json_get_array(json_object *object, const char *name, size_t limit, struct error *err)
{
	json_object *field = find(object, name, json_type_array);

	if (field == NULL || json_object_array_length(field) > limit) {
		error_set(err, "the message has no list '%s' of at most %zu items", name, limit);
		return NULL;
	}
	return field;
}

int json_get_words(json_object *object, const char *name, size_t limit, struct words *words,
		   struct error *err)
{
	json_object *list = json_get_array(object, name, limit, err);

	if (list == NULL)
		return -1;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *item = json_object_array_get_idx(list, i);

		if (!json_object_is_type(item, json_type_string) || !fits(item, TEXT_LIMIT))
			return error_set(err, "the list '%s' of the message holds no short text",
					 name);
		words_add(words, json_object_get_string(item));
	}
	return 0;
}

void json_add_text(json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text != NULL ? json_object_new_string(text) : NULL);
}

void json_add_number(json_object *object, const char *name, int64_t number)
{
	json_object_object_add(object, name, json_object_new_int64(number));
}

void json_add_flag(json_object *object, const char *name, bool flag)
{
	json_object_object_add(object, name, json_object_new_boolean(flag));
}

void json_add_words(json_object *object, const char *name, const struct words *words)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < words->count; i++)
		json_object_array_add(list, json_object_new_string(words->items[i]));
	json_object_object_add(object, name, list);
}
