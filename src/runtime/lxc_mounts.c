// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what an LXC container needs from outside itself: mounts and files. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/lxc.h"
#include "runtime/outside.h"

static bool has_option(const char *options, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = options; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

/* fstab writes a blank as \040. In place. */
static void decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* One line of fstab's form. */
enum { SOURCE, TARGET, TYPE, OPTIONS, FIELD_COUNT };

/* In place; false where lxc itself refuses it. */
static bool split_mount(char *line, char *fields[FIELD_COUNT])
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		do
			fields[i] = strsep(&line, " \t");
		while (fields[i] != NULL && *fields[i] == '\0');
		if (fields[i] == NULL)
			return false;
	}
	decode(fields[SOURCE]);
	decode(fields[TARGET]);
	return true;
}

static bool is_bind(const char *options)
{
	return has_option(options, "bind") || has_option(options, "rbind");
}

static int describe_mount(const char *line, struct container *container, struct error *err)
{
	CLEANUP(memory_release) char *copy = memory_duplicate(line);
	char *fields[FIELD_COUNT];

	if (!split_mount(copy, fields))
		return 0;
	if (has_option(fields[OPTIONS], "optional") || fields[SOURCE][0] != '/')
		return 0;
	if (is_bind(fields[OPTIONS]))
		return outside_add_mount(container, fields[SOURCE], err);
	if (outside_is_kernel_type(fields[TYPE]))
		return 0;
	return outside_refuse_device(container, fields[SOURCE], err);
}

static int describe_fstab(const char *path, struct container *container, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	char *rest;

	if (file_read(path, LXC_CONFIG_SIZE_MAX, &content, err) < 0)
		return error_context(err, "container '%s'", container->id);
	rest = content.bytes;
	for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		line = text_strip(line);
		if (*line != '\0' && *line != '#' && describe_mount(line, container, err) < 0)
			return -1;
	}
	return 0;
}

/* Hooks, seccomp profile and fstab are files that the configuration needs like its includes. */
static void add_named_files(const struct lxc_config *config, struct container *container)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct lxc_config_item *item = &config->items[i];
		CLEANUP(memory_release)
		char *program =
			memory_format("%.*s", (int)strcspn(item->value, " \t"), item->value);

		if (text_starts_with(item->key, "lxc.hook.") &&
		    strcmp(item->key, "lxc.hook.clone") != 0)
			outside_add_file(container, program);
		else if (strcmp(item->key, "lxc.seccomp.profile") == 0 ||
			 strcmp(item->key, "lxc.mount.fstab") == 0)
			outside_add_file(container, item->value);
	}
}

int lxc_describe_mounts(const struct lxc_config *config, struct container *container,
			struct error *err)
{
	CLEANUP(words_release) struct words entries = { 0 };
	const char *fstab = lxc_config_get(config, "lxc.mount.fstab");

	for (size_t i = 0; i < config->files.count; i++)
		outside_add_file(container, config->files.items[i]);
	add_named_files(config, container);
	lxc_config_list(config, "lxc.mount.entry", &entries);
	for (size_t i = 0; i < entries.count; i++)
		if (describe_mount(entries.items[i], container, err) < 0)
			return -1;
	return fstab != NULL ? describe_fstab(fstab, container, err) : 0;
}

void lxc_list_binds(const struct lxc_config *config, struct words *targets)
{
	CLEANUP(words_release) struct words entries = { 0 };

	lxc_config_list(config, "lxc.mount.entry", &entries);
	for (size_t i = 0; i < entries.count; i++) {
		char *fields[FIELD_COUNT];

		if (split_mount(entries.items[i], fields) && is_bind(fields[OPTIONS]))
			words_add(targets, fields[TARGET]);
	}
}
