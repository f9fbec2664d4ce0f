// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading LXC's configuration files. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/lxc_config.h"

static int read_path(struct lxc_config *config, const char *path, int depth, struct error *err);

static void release_item(struct lxc_config_item *item)
{
	free(item->key);
	free(item->value);
	free(item->file);
}

void lxc_config_release(struct lxc_config *config)
{
	for (size_t i = 0; i < config->count; i++)
		release_item(&config->items[i]);
	free(config->items);
	words_release(&config->files);
	*config = (struct lxc_config){ 0 };
}

/* A blank value takes back the key and, as lxc.net does, everything below it. */
static void reset(struct lxc_config *config, const char *key)
{
	size_t length = strlen(key);
	size_t kept = 0;

	for (size_t i = 0; i < config->count; i++) {
		const char *other = config->items[i].key;

		if (strncmp(other, key, length) == 0 &&
		    (other[length] == '\0' || other[length] == '.'))
			release_item(&config->items[i]);
		else
			config->items[kept++] = config->items[i];
	}
	config->count = kept;
}

static int add(struct lxc_config *config, const char *key, const char *value, const char *file,
	       struct error *err)
{
	if (config->count >= LXC_CONFIG_ITEMS_MAX)
		return error_set(err, "'%s' has more than %d settings", file, LXC_CONFIG_ITEMS_MAX);
	config->items = memory_resize(config->items, config->count + 1, sizeof(*config->items));
	config->items[config->count++] = (struct lxc_config_item){
		.key = memory_duplicate(key),
		.value = memory_duplicate(value),
		.file = memory_duplicate(file),
	};
	return 0;
}

/* lxc takes one pair of quotes off a value. */
static char *unquote(char *value)
{
	size_t length = strlen(value);

	if (length > 1 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
		value[length - 1] = '\0';
		value++;
	}
	return value;
}

static int read_line(struct lxc_config *config, char *line, const char *file, int depth,
		     struct error *err)
{
	char *key = text_strip(line);
	char *equals = strchr(key, '=');
	char *value;

	if (*key == '\0' || *key == '#')
		return 0;
	if (equals == NULL) {
		char shown[80];

		text_printable(shown, sizeof(shown), key, strlen(key));
		return error_set(err, "'%s' has a line that is no setting: '%s'", file, shown);
	}
	*equals = '\0';
	key = text_strip(key);
	value = unquote(text_strip(equals + 1));
	if (*value == '\0') {
		reset(config, key);
		return 0;
	}
	if (strcmp(key, "lxc.include") == 0)
		return read_path(config, value, depth + 1, err);
	return add(config, key, value, file, err);
}

static int read_file(struct lxc_config *config, const char *path, int depth, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	char *rest;

	if (file_read(path, LXC_CONFIG_SIZE_MAX, &content, err) < 0)
		return -1;
	if (strlen(text_string(&content)) != content.length)
		return error_set(err, "'%s' is not a text file", path);
	words_add(&config->files, path);
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
		if (read_line(config, line, path, depth, err) < 0)
			return -1;
	return 0;
}

static int is_configuration(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends_with(entry->d_name, ".conf");
}

int lxc_config_directory(const char *path, struct words *files, struct error *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_configuration, alphasort);

	if (count < 0)
		return error_system(err, "cannot read the directory '%s'", path);
	for (int i = 0; i < count; i++) {
		words_format(files, "%s%s%s", path, text_ends_with(path, "/") ? "" : "/",
			     entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static int read_directory(struct lxc_config *config, const char *path, int depth, struct error *err)
{
	CLEANUP(words_release) struct words files = { 0 };

	if (lxc_config_directory(path, &files, err) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++)
		if (read_file(config, files.items[i], depth, err) < 0)
			return -1;
	return 0;
}

static int read_path(struct lxc_config *config, const char *path, int depth, struct error *err)
{
	struct stat status;

	if (depth > LXC_CONFIG_DEPTH_MAX)
		return error_set(err, "includes are nested more than %d deep at '%s'",
				 LXC_CONFIG_DEPTH_MAX, path);
	if (path[0] != '/')
		return error_set(err, "the included file '%s' has no absolute path", path);
	if (stat(path, &status) < 0)
		return error_system(err, "cannot read '%s'", path);
	if (S_ISDIR(status.st_mode))
		return read_directory(config, path, depth, err);
	return read_file(config, path, depth, err);
}

int lxc_config_read(struct lxc_config *config, const char *path, struct error *err)
{
	*config = (struct lxc_config){ 0 };
	if (read_path(config, path, 0, err) == 0)
		return 0;
	lxc_config_release(config);
	return -1;
}

const char *lxc_config_get(const struct lxc_config *config, const char *key)
{
	for (size_t i = config->count; i-- > 0;)
		if (strcmp(config->items[i].key, key) == 0)
			return config->items[i].value;
	return NULL;
}

void lxc_config_list(const struct lxc_config *config, const char *key, struct words *values)
{
	for (size_t i = 0; i < config->count; i++)
		if (strcmp(config->items[i].key, key) == 0)
			words_add(values, config->items[i].value);
}

static int compare_numbers(const void *left, const void *right)
{
	unsigned int a = *(const unsigned int *)left;
	unsigned int b = *(const unsigned int *)right;

	return (a > b) - (a < b);
}

size_t lxc_config_networks(const struct lxc_config *config, unsigned int *numbers, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < config->count; i++) {
		unsigned int number;
		size_t known = 0;
		char dot;

		if (sscanf(config->items[i].key, "lxc.net.%9u%c", &number, &dot) != 2 || dot != '.')
			continue;
		while (known < count && numbers[known] != number)
			known++;
		if (known == count && count < most)
			numbers[count++] = number;
	}
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	return count;
}

const char *lxc_config_network(const struct lxc_config *config, unsigned int number,
			       const char *name)
{
	CLEANUP(memory_release) char *key = memory_format("lxc.net.%u.%s", number, name);

	return lxc_config_get(config, key);
}
