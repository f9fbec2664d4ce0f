// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for growing text, and for splitting and quoting words. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void text_append(struct text *text, const void *bytes, size_t length)
{
	if (text->length + length + 1 > text->capacity) {
		text->capacity = (text->length + length + 1) * 2;
		text->bytes = memory_resize(text->bytes, text->capacity, 1);
	}
	if (length > 0)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_format(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_list again;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length > 0) {
		size_t size = (size_t)length + 1;
		char *formatted = memory_allocate(size, 1);

		vsnprintf(formatted, size, format, again);
		text_append(text, formatted, (size_t)length);
		free(formatted);
	}
	va_end(again);
}

const char *text_string(const struct text *text)
{
	return text->bytes != NULL ? text->bytes : "";
}

char *text_take(struct text *text)
{
	char *bytes = text->bytes != NULL ? text->bytes : memory_duplicate("");

	*text = (struct text){ 0 };
	return bytes;
}

void text_clear(struct text *text)
{
	text->length = 0;
	if (text->bytes != NULL)
		text->bytes[0] = '\0';
}

void text_release(struct text *text)
{
	free(text->bytes);
	*text = (struct text){ 0 };
}

static void words_take(struct words *words, char *word)
{
	words->items = memory_resize(words->items, words->count + 2, sizeof(char *));
	words->items[words->count++] = word;
	words->items[words->count] = NULL;
}

void words_add(struct words *words, const char *word)
{
	words_take(words, memory_duplicate(word));
}

void words_format(struct words *words, const char *format, ...)
{
	va_list arguments;
	char *word = NULL;

	va_start(arguments, format);
	if (vasprintf(&word, format, arguments) < 0)
		abort();
	va_end(arguments);
	words_take(words, word);
}

void words_add_all(struct words *words, const char *const *list)
{
	for (; *list != NULL; list++)
		words_add(words, *list);
}

void words_extend(struct words *words, const struct words *other)
{
	for (size_t i = 0; i < other->count; i++)
		words_add(words, other->items[i]);
}

void words_release(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct words){ 0 };
}

/* Reads one quoted or unquoted stretch at *line into the word; false on an open quote. */
static bool split_stretch(const char **line, struct text *word)
{
	const char *at = *line;

	if (*at == '\'') {
		const char *end = strchr(at + 1, '\'');

		if (end == NULL)
			return false;
		text_append(word, at + 1, (size_t)(end - at - 1));
		*line = end + 1;
		return true;
	}
	if (*at == '"') {
		for (at++; *at != '"'; at++) {
			if (*at == '\\' && at[1] != '\0' && strchr("\"\\$`", at[1]) != NULL)
				at++;
			if (*at == '\0')
				return false;
			text_append(word, at, 1);
		}
		*line = at + 1;
		return true;
	}
	if (*at == '\\') {
		at++;
		if (*at == '\0')
			return false;
	}
	text_append(word, at, 1);
	*line = at + 1;
	return true;
}

int words_split(struct words *words, const char *line, struct error *err)
{
	const char *at = line;

	for (;;) {
		CLEANUP(text_release) struct text word = { 0 };

		at += strspn(at, " \t\n");
		if (*at == '\0')
			return 0;
		text_append(&word, "", 0);
		while (*at != '\0' && strchr(" \t\n", *at) == NULL)
			if (!split_stretch(&at, &word))
				return error_set(err, "unfinished quote or backslash in '%s'",
						 line);
		words_take(words, text_take(&word));
	}
}

char *words_quote(const char *const *list)
{
	struct text line = { 0 };

	for (; *list != NULL; list++) {
		const char *word = *list;

		if (line.length > 0)
			text_append(&line, " ", 1);
		if (*word != '\0' &&
		    word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789%+,-./:=@_")] == '\0') {
			text_append(&line, word, strlen(word));
			continue;
		}
		text_append(&line, "'", 1);
		for (; *word != '\0'; word++) {
			if (*word == '\'')
				text_append(&line, "'\\''", 4);
			else
				text_append(&line, word, 1);
		}
		text_append(&line, "'", 1);
	}
	return text_take(&line);
}

bool text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text);
	size_t suffix_length = strlen(suffix);

	return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

char *text_strip(char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
		text[--length] = '\0';
	return text;
}

void text_printable(char *out, size_t size, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;
	size_t i = 0;

	for (; i < length && i + 1 < size; i++)
		out[i] = isprint(from[i]) ? (char)from[i] : '?';
	out[i] = '\0';
}
