// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what may be shown of a foreign text. */
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/printable.h"

/* How long a character that begins with this byte is; 0: none does. */
static size_t character_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Beyond the shape: nothing overlong, no surrogates, nothing above U+10FFFF. */
static bool in_range(const unsigned char *text)
{
	switch (text[0]) {
	case 0xe0:
		return text[1] >= 0xa0;
	case 0xed:
		return text[1] <= 0x9f;
	case 0xf0:
		return text[1] >= 0x90;
	case 0xf4:
		return text[1] <= 0x8f;
	default:
		return true;
	}
}

/* The length of the character at `text`; 0 when it is none. */
static size_t valid_length(const unsigned char *text)
{
	size_t length = character_length(text[0]);

	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return in_range(text) ? length : 0;
}

/* U+0080 to U+009F are some too: U+009B is ESC [. */
static bool is_control(const unsigned char *text, size_t length)
{
	return (length == 1 && iscntrl(text[0])) ||
	       (length == 2 && text[0] == 0xc2 && text[1] < 0xa0);
}

void printable_make(char *text)
{
	unsigned char *from = (unsigned char *)text;
	unsigned char *to = from;

	while (*from != '\0') {
		size_t length = valid_length(from);

		if (length == 0 || is_control(from, length)) {
			*to++ = '?';
			from += length > 0 ? length : 1;
			continue;
		}
		while (length-- > 0)
			*to++ = *from++;
	}
	*to = '\0';
}
