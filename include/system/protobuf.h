/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message in protobuf's encoding, in which criu writes its images: it is read field by field, without
 * knowing what they mean. Whatever the bytes are, nothing outside of them is touched.
 */
#ifndef SYSTEM_PROTOBUF_H
#define SYSTEM_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* What is still to be read. Points into bytes that are the caller's. */
struct protobuf {
	const unsigned char *at;
	size_t left;
};

/* The encodings of a field (protobuf calls them wire types; its groups are not understood). */
enum protobuf_encoding {
	PROTOBUF_NUMBER = 0,
	PROTOBUF_FIXED_64 = 1,
	PROTOBUF_BYTES = 2,
	PROTOBUF_FIXED_32 = 5,
};

struct protobuf_field {
	uint64_t number;
	enum protobuf_encoding encoding;
	uint64_t value;		    /* of a number; of PROTOBUF_BYTES: how many */
	const unsigned char *bytes; /* of PROTOBUF_BYTES; else NULL */
};

/* The next field. Returns 1; 0 at the end; -1 when the bytes are no message. */
int protobuf_next(struct protobuf *message, struct protobuf_field *field);

/* Adds a field that is a number to a message. */
void protobuf_add_number(struct text *message, unsigned int number, uint64_t value);

#endif
