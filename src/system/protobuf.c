// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for protobuf's encoding. */
#include <endian.h>
#include <string.h>

#include "system/protobuf.h"

/* Seven bits a byte, the lowest first; the highest bit says that another byte follows. */
static int read_number(struct protobuf *message, uint64_t *number)
{
	*number = 0;
	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint64_t byte;

		if (message->left == 0)
			return -1;
		byte = *message->at++;
		message->left--;
		/* Of the tenth byte only one bit fits. */
		if (shift == 63 && byte > 1)
			return -1;
		*number |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return 0;
	}
	return -1;
}

static int skip(struct protobuf *message, uint64_t length)
{
	if (length > message->left)
		return -1;
	message->at += length;
	message->left -= length;
	return 0;
}

static int read_value(struct protobuf *message, struct protobuf_field *field)
{
	const unsigned char *start = message->at;
	uint32_t small;

	switch (field->encoding) {
	case PROTOBUF_NUMBER:
		return read_number(message, &field->value);
	case PROTOBUF_FIXED_64:
		if (skip(message, sizeof(field->value)) < 0)
			return -1;
		memcpy(&field->value, start, sizeof(field->value));
		field->value = le64toh(field->value);
		return 0;
	case PROTOBUF_BYTES:
		if (read_number(message, &field->value) < 0)
			return -1;
		field->bytes = message->at;
		return skip(message, field->value);
	case PROTOBUF_FIXED_32:
		if (skip(message, sizeof(small)) < 0)
			return -1;
		memcpy(&small, start, sizeof(small));
		field->value = le32toh(small);
		return 0;
	default:
		return -1;
	}
}

int protobuf_next(struct protobuf *message, struct protobuf_field *field)
{
	uint64_t key;

	if (message->left == 0)
		return 0;
	if (read_number(message, &key) < 0)
		return -1;
	*field = (struct protobuf_field){
		.number = key >> 3,
		.encoding = (enum protobuf_encoding)(key & 7),
	};
	return read_value(message, field) < 0 ? -1 : 1;
}

static void add_number(struct text *message, uint64_t number)
{
	do {
		unsigned char byte = (unsigned char)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));

		text_append(message, &byte, 1);
		number >>= 7;
	} while (number > 0);
}

void protobuf_add_number(struct text *message, unsigned int number, uint64_t value)
{
	add_number(message, (uint64_t)number << 3 | PROTOBUF_NUMBER);
	add_number(message, value);
}
