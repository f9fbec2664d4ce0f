// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the texts that go ahead of the images. */
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "node/early_images.h"
#include "node/manifest.h"

/* There is one, of three paths or a device's number. */
#define FILES_MAX 8
#define TEXT_MAX 16384
#define NAME_LENGTH_MAX 255

static bool is_plain(const struct text *text)
{
	for (size_t i = 0; i < text->length; i++)
		if ((text->bytes[i] < ' ' && text->bytes[i] != '\n') || text->bytes[i] > '~')
			return false;
	return true;
}

static int add_file(const char *directory, const char *name, json_object *files)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", directory, name);
	CLEANUP(text_release) struct text content = { 0 };
	struct error ignored;

	if (file_read(path, TEXT_MAX, &content, &ignored) < 0 || !is_plain(&content))
		return -1;
	json_add_text(files, name, text_string(&content));
	return 0;
}

json_object *early_images_read(const char *directory)
{
	struct error ignored;
	CLEANUP(json_release) json_object *found = manifest_make(directory, &ignored);
	CLEANUP(json_release) json_object *files = json_object_new_object();

	if (found == NULL || json_object_object_length(found) > FILES_MAX)
		return NULL;
	json_object_object_foreach (found, name, size) {
		(void)size;
		if (add_file(directory, name, files) < 0)
			return NULL;
	}
	return json_object_get(files);
}

static int write_file(const char *directory, json_object *files, const char *name,
		      struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", directory, name);
	CLEANUP(text_release) struct text content = { 0 };
	const char *text = json_get_text(files, name, TEXT_MAX, err);

	if (text == NULL)
		return -1;
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL ||
	    strlen(name) > NAME_LENGTH_MAX)
		return error_set(err, "'%.300s' is no name of an image", name);
	text_append(&content, text, strlen(text));
	return file_write(path, &content, 0600, err);
}

int early_images_write(const char *directory, json_object *files, struct error *err)
{
	if (json_object_object_length(files) > FILES_MAX)
		return error_set(err, "more than %d images are to go ahead", FILES_MAX);
	json_object_object_foreach (files, name, text) {
		(void)text;
		if (write_file(directory, files, name, err) < 0)
			return -1;
	}
	return 0;
}
