// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the form in which facts cross the wire, and for distrusting it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/json.h"
#include "base/memory.h"
#include "node/facts.h"
#include "system/criu_probe.h"

#define WORD_MAX 255
#define WORDS_MAX 1024
#define CRIU_VERSION_MAX 10000000

void facts_release(struct facts *facts)
{
	free(facts->machine);
	text_release(&facts->cpu);
	free(facts->cgroups);
	words_release(&facts->hierarchies);
	free(facts->confinement);
	words_release(&facts->mtus);
	words_release(&facts->mounts);
	free(facts->origin);
	*facts = (struct facts){ 0 };
}

static void add_numbers(json_object *object, const char *name, const int64_t *numbers, size_t count)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, json_object_new_int64(numbers[i]));
	json_object_object_add(object, name, list);
}

static void add_bytes(json_object *object, const char *name, const struct text *bytes)
{
	CLEANUP(text_release) struct text digits = { 0 };

	for (size_t i = 0; i < bytes->length; i++)
		text_format(&digits, "%02x", (unsigned char)bytes->bytes[i]);
	json_add_text(object, name, text_string(&digits));
}

json_object *quota_to_json(const struct quota *quota)
{
	const int64_t numbers[] = { quota->bytes, quota->bytes_soft, quota->files,
				    quota->files_soft };
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		json_object_array_add(list, json_object_new_int64(numbers[i]));
	return list;
}

json_object *facts_to_json(const struct facts *facts)
{
	json_object *object = json_object_new_object();

	add_numbers(object, "bytes", facts->bytes, AREAS_MAX);
	add_numbers(object, "files", facts->files, AREAS_MAX);
	json_add_flag(object, "acls", facts->acls);
	json_add_flag(object, "attributes", facts->attributes);
	json_add_flag(object, "case_pairs", facts->case_pairs);
	json_add_number(object, "memory", facts->memory);
	json_add_number(object, "clock_ms", facts->clock_ms);
	json_add_number(object, "criu", facts->criu);
	json_add_text(object, "machine", facts->machine);
	add_bytes(object, "cpu", &facts->cpu);
	json_add_text(object, "cgroups", facts->cgroups);
	json_add_words(object, "hierarchies", &facts->hierarchies);
	json_add_text(object, "confinement", facts->confinement);
	json_add_words(object, "mtus", &facts->mtus);
	json_add_words(object, "mounts", &facts->mounts);
	json_object_object_add(object, "quota", quota_to_json(&facts->quota));
	json_add_text(object, "origin", facts->origin);
	return object;
}

static int get_numbers(json_object *object, const char *name, int64_t *numbers, size_t count,
		       struct error *err)
{
	json_object *list = json_get_array(object, name, count, err);

	if (list == NULL)
		return -1;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *item = json_object_array_get_idx(list, i);

		if (!json_object_is_type(item, json_type_int) || json_object_get_int64(item) < 0)
			return error_set(err, "the list '%s' of the message holds no number", name);
		numbers[i] = json_object_get_int64(item);
	}
	return 0;
}

int quota_from_json(json_object *object, struct quota *quota, struct error *err)
{
	int64_t numbers[4] = { 0 };

	if (get_numbers(object, "quota", numbers, COUNT_OF(numbers), err) < 0)
		return -1;
	*quota = (struct quota){ numbers[0], numbers[1], numbers[2], numbers[3] };
	return 0;
}

static int digit(char character)
{
	const char *digits = "0123456789abcdef";
	const char *found = character != '\0' ? strchr(digits, character) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

static int get_bytes(json_object *object, const char *name, struct text *bytes, struct error *err)
{
	const char *digits = json_get_text(object, name, (size_t)2 * CRIU_CPU_IMAGE_MAX, err);

	if (digits == NULL)
		return -1;
	for (; digits[0] != '\0'; digits += 2) {
		int high = digit(digits[0]);
		int low = digit(digits[1]);
		char byte = (char)(high * 16 + low);

		if (high < 0 || low < 0)
			return error_set(err, "'%s' of the message is no row of bytes", name);
		text_append(bytes, &byte, 1);
	}
	return 0;
}

/* A text that may be missing. */
static int get_word(json_object *object, const char *name, char **word, struct error *err)
{
	const char *found;

	if (json_find_text(object, name) == NULL)
		return 0;
	found = json_get_text(object, name, WORD_MAX, err);
	if (found == NULL)
		return -1;
	*word = memory_duplicate(found);
	return 0;
}

static int fill(struct facts *facts, json_object *object, struct error *err)
{
	int64_t criu;

	if (get_numbers(object, "bytes", facts->bytes, AREAS_MAX, err) < 0 ||
	    get_numbers(object, "files", facts->files, AREAS_MAX, err) < 0 ||
	    json_get_number(object, "memory", 0, INT64_MAX, &facts->memory, err) < 0 ||
	    json_get_number(object, "clock_ms", 0, INT64_MAX, &facts->clock_ms, err) < 0 ||
	    json_get_number(object, "criu", 0, CRIU_VERSION_MAX, &criu, err) < 0 ||
	    quota_from_json(object, &facts->quota, err) < 0 ||
	    get_bytes(object, "cpu", &facts->cpu, err) < 0 ||
	    get_word(object, "machine", &facts->machine, err) < 0 ||
	    get_word(object, "cgroups", &facts->cgroups, err) < 0 ||
	    get_word(object, "confinement", &facts->confinement, err) < 0 ||
	    get_word(object, "origin", &facts->origin, err) < 0)
		return -1;
	facts->acls = json_find_flag(object, "acls");
	facts->attributes = json_find_flag(object, "attributes");
	facts->case_pairs = json_find_flag(object, "case_pairs");
	facts->criu = (int)criu;
	if (json_get_words(object, "hierarchies", WORDS_MAX, &facts->hierarchies, err) < 0 ||
	    json_get_words(object, "mtus", WORDS_MAX, &facts->mtus, err) < 0)
		return -1;
	return json_get_words(object, "mounts", WORDS_MAX, &facts->mounts, err);
}

int facts_from_json(struct facts *facts, json_object *object, struct error *err)
{
	CLEANUP(facts_release) struct facts filled = { 0 };

	if (fill(&filled, object, err) < 0)
		return -1;
	*facts = filled;
	filled = (struct facts){ 0 };
	return 0;
}

char *facts_kind_of(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return memory_duplicate("missing");
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
		return memory_format("%s device %u:%u",
				     S_ISCHR(status.st_mode) ? "character" : "block",
				     major(status.st_rdev), minor(status.st_rdev));
	return memory_duplicate(S_ISDIR(status.st_mode) ? "directory" : "file");
}
