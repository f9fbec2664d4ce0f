/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growing text and lists of words.
 *
 * `struct text` is bytes with a terminating zero that is not counted; `{ 0 }` is empty.
 * `struct words` is a NULL-terminated vector of owned strings, the form that execvp() takes;
 * `{ 0 }` is empty and then `items` is NULL.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct text {
	char *bytes;
	size_t length;
	size_t capacity;
};

void text_append(struct text *text, const void *bytes, size_t length);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Never NULL: "" where nothing was appended. */
const char *text_string(const struct text *text);
/* The caller frees what it gets; *text is empty again. */
char *text_take(struct text *text);
void text_clear(struct text *text);
void text_release(struct text *text);

struct words {
	char **items;
	size_t count;
};

void words_add(struct words *words, const char *word);
void words_format(struct words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void words_add_all(struct words *words, const char *const *list);
void words_extend(struct words *words, const struct words *other);
void words_release(struct words *words);

/*
 * Splits as a POSIX shell splits a command line: blanks, '...', "..." and backslash; no variable,
 * glob or command is expanded. Fails on an open quote.
 */
int words_split(struct words *words, const char *line, struct error *err);

/* The words joined by blanks, each quoted for a shell (or a reader) where it needs it. */
char *words_quote(const char *const *list);

bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);
/* Blanks cut off at both ends, in place; returns the new start. */
char *text_strip(char *text);
/* Copies at most size - 1 bytes of foreign text, unprintable ones as '?'; for messages. */
void text_printable(char *out, size_t size, const void *bytes, size_t length);

#endif
