// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the text of LXC's configuration for a container's new place. */
#include <string.h>

#include "base/memory.h"
#include "runtime/container.h"
#include "runtime/lxc_config.h"

#define BLANKS " \t"

/* How many bytes of the value are the directory (the whole value, or up to a '/' or a blank). */
static size_t match_directory(const char *value, size_t length, const char *directory)
{
	size_t size = strlen(directory);

	if (size == 0 || length < size || strncmp(value, directory, size) != 0)
		return 0;
	if (length > size && strchr("/" BLANKS, value[size]) == NULL)
		return 0;
	return size;
}

/* The private area first: it may lie below the directory and go elsewhere. */
static void rewrite_value(const char *value, size_t length, const struct lxc_move *move,
			  struct text *to)
{
	size_t matched = match_directory(value, length, move->from_private_area);
	const char *replacement = move->to_private_area;

	if (matched == 0) {
		matched = match_directory(value, length, move->from_directory);
		replacement = move->to_directory;
	}
	if (matched > 0)
		text_append(to, replacement, strlen(replacement));
	text_append(to, value + matched, length - matched);
}

static void rewrite_rootfs(const char *value, size_t length, const struct lxc_move *move,
			   struct text *to)
{
	if (length >= 4 && strncmp(value, "dir:", 4) == 0)
		text_append(to, "dir:", 4);
	text_append(to, move->to_private_area, strlen(move->to_private_area));
}

/* How long the line is without the blanks (and quote) at its end. */
static size_t value_end(const char *line, size_t start, size_t length)
{
	while (length > start && strchr(BLANKS "\r", line[length - 1]) != NULL)
		length--;
	return length;
}

/* Is the key of the line one whose value names the container? */
static bool names_container(const char *key, size_t length)
{
	static const char host_name[] = "lxc.uts.name";
	static const char device[] = ".veth.pair";

	while (length > 0 && strchr(BLANKS, key[length - 1]) != NULL)
		length--;
	if (length == sizeof(host_name) - 1 && strncmp(key, host_name, length) == 0)
		return true;
	return length > sizeof(device) - 1 && strncmp(key, "lxc.net.", 8) == 0 &&
	       strncmp(key + length - (sizeof(device) - 1), device, sizeof(device) - 1) == 0;
}

static void rewrite_name(const char *value, size_t length, const struct lxc_move *move,
			 struct text *to)
{
	CLEANUP(memory_release) char *name = memory_format("%.*s", (int)length, value);
	CLEANUP(memory_release)
	char *renamed = container_rename(name, move->from_id, move->to_id);

	text_append(to, renamed, strlen(renamed));
}

static void rewrite_line(const char *line, size_t length, const struct lxc_move *move,
			 struct text *to)
{
	static const char rootfs[] = "lxc.rootfs.path";
	size_t key = strspn(line, BLANKS);
	const char *equals = memchr(line, '=', length);
	size_t start;
	size_t end;

	if (equals == NULL || line[key] == '#') {
		text_append(to, line, length);
		return;
	}
	start = (size_t)(equals - line) + 1;
	start += strspn(line + start, BLANKS);
	end = value_end(line, start, length);
	if (end > start + 1 && (line[start] == '"' || line[start] == '\'') &&
	    line[end - 1] == line[start]) {
		start++;
		end--;
	}
	text_append(to, line, start < length ? start : length);
	if (end <= start)
		return;
	if (strncmp(line + key, rootfs, sizeof(rootfs) - 1) == 0 &&
	    strchr(BLANKS "=", line[key + sizeof(rootfs) - 1]) != NULL)
		rewrite_rootfs(line + start, end - start, move, to);
	else if (names_container(line + key, (size_t)(equals - line) - key))
		rewrite_name(line + start, end - start, move, to);
	else
		rewrite_value(line + start, end - start, move, to);
	text_append(to, line + end, length - end);
}

static void rewrite_mount(const char *line, size_t length, const struct lxc_move *move,
			  struct text *to)
{
	size_t start = strspn(line, BLANKS);

	if (start > length)
		start = length;
	text_append(to, line, start);
	rewrite_value(line + start, length - start, move, to);
}

typedef void line_rewriter(const char *line, size_t length, const struct lxc_move *move,
			   struct text *to);

static void rewrite_lines(const char *from, line_rewriter *rewrite, const struct lxc_move *move,
			  struct text *to)
{
	while (*from != '\0') {
		size_t length = strcspn(from, "\n");

		rewrite(from, length, move, to);
		from += length;
		if (*from == '\n')
			text_append(to, from++, 1);
	}
}

void lxc_config_rewrite(const char *from, const struct lxc_move *move, struct text *to)
{
	rewrite_lines(from, rewrite_line, move, to);
}

void lxc_config_rewrite_mounts(const char *from, const struct lxc_move *move, struct text *to)
{
	rewrite_lines(from, rewrite_mount, move, to);
}
