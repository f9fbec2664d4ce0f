// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the bytes of an image stream's frames, and for their checksum. */
#include <endian.h>
#include <string.h>

#include "system/image_stream.h"

#define LANES 4
#define BLOCK (LANES * sizeof(uint64_t))

/* Odd, with bits all over. */
#define MULTIPLY 0x9e3779b97f4a7c15ULL
#define MIX 0xd6e8feb86659fd93ULL

void image_frame_pack(const struct image_frame *frame, unsigned char bytes[IMAGE_FRAME_SIZE])
{
	uint32_t kind = htole32(frame->kind);
	uint32_t length = htole32(frame->length);
	uint64_t number = htole64(frame->number);

	memcpy(bytes, &kind, sizeof(kind));
	memcpy(bytes + 4, &length, sizeof(length));
	memcpy(bytes + 8, &number, sizeof(number));
}

void image_frame_unpack(struct image_frame *frame, const unsigned char bytes[IMAGE_FRAME_SIZE])
{
	memcpy(&frame->kind, bytes, sizeof(frame->kind));
	memcpy(&frame->length, bytes + 4, sizeof(frame->length));
	memcpy(&frame->number, bytes + 8, sizeof(frame->number));
	frame->kind = le32toh(frame->kind);
	frame->length = le32toh(frame->length);
	frame->number = le64toh(frame->number);
}

static uint64_t mix(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * MULTIPLY;
	return lane ^ (lane >> 29);
}

/* Against mistakes, not against an enemy: that is ssh's. Four lanes, so that it is no slower than reading. */
uint64_t image_checksum(uint64_t sum, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t lanes[LANES] = { sum, sum ^ MULTIPLY, sum + MIX, ~sum };
	uint64_t words[LANES];

	for (size_t left = length; left > 0;) {
		size_t count = left < BLOCK ? left : BLOCK;

		memset(words, 0, sizeof(words));
		memcpy(words, at, count);
		for (size_t i = 0; i < LANES; i++)
			lanes[i] = mix(lanes[i], le64toh(words[i]));
		at += count;
		left -= count;
	}
	sum = mix(sum, length);
	for (size_t i = 0; i < LANES; i++)
		sum = mix(sum, lanes[i] * MIX);
	return sum;
}

int image_name_take(char name[IMAGE_NAME_MAX + 1], const unsigned char *bytes, size_t length,
		    struct error *err)
{
	if (length == 0 || length > IMAGE_NAME_MAX)
		return error_set(err, "the images' stream has a name of %zu bytes", length);
	memcpy(name, bytes, length);
	name[length] = '\0';
	if (strlen(name) != length || name[0] == '.' || strchr(name, '/') != NULL)
		return error_set(err, "the images' stream has a name that is none of criu's");
	return 0;
}
