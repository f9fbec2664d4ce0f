/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing criu's pagemap images, for tests that read them. */
#ifndef PAGEMAP_WRITE_H
#define PAGEMAP_WRITE_H

#include <stdint.h>

#include "base/memory.h"
#include "base/text.h"
#include "system/protobuf.h"

static inline void add_word(struct text *image, uint32_t word)
{
	const unsigned char bytes[] = { (unsigned char)word, (unsigned char)(word >> 8),
					(unsigned char)(word >> 16), (unsigned char)(word >> 24) };

	text_append(image, bytes, sizeof(bytes));
}

static inline void add_record(struct text *image, struct text *message)
{
	add_word(image, (uint32_t)message->length);
	text_append(image, text_string(message), message->length);
	text_clear(message);
}

static inline void add_head(struct text *image, uint32_t pages_id)
{
	CLEANUP(text_release) struct text message = { 0 };

	add_word(image, 0x54564319);
	add_word(image, 0x56084025);
	protobuf_add_number(&message, 1, pages_id);
	add_record(image, &message);
}

/* As criu 4.2 writes it: with the old number of pages, cut to 32 bits, and the new one. */
static inline void add_entry(struct text *image, uint64_t start, uint64_t pages, uint32_t flags)
{
	CLEANUP(text_release) struct text message = { 0 };

	protobuf_add_number(&message, 1, start);
	protobuf_add_number(&message, 2, (uint32_t)pages);
	protobuf_add_number(&message, 4, flags);
	protobuf_add_number(&message, 5, pages);
	add_record(image, &message);
}

#endif
