// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what of an image's bytes has to be sent. */
#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "system/image_piece.h"
#include "system/page_scan.h"

enum kind { NOTHING, DATA, SAME };

/* Neighbouring pages that are sent alike. */
struct run {
	enum kind kind;
	size_t start;
	struct content_place place; /* of the first, of SAME */
};

struct piece {
	struct image_writer *writer;
	struct content_index *index; /* NULL: nothing can be found */
	uint64_t at;
	const unsigned char *bytes;
	struct run run;
};

static int send_same(const struct piece *piece, size_t end, struct error *err)
{
	const struct run *run = &piece->run;
	char bytes[2 * sizeof(uint64_t) + CONTENT_NAME_SIZE];
	uint64_t range[2] = { htole64(run->place.offset), htole64(end - run->start) };
	char *name = bytes + sizeof(range);

	memcpy(bytes, range, sizeof(range));
	content_name(run->place.object, name);
	return image_write(piece->writer, IMAGE_SAME, piece->at + run->start, bytes,
			   sizeof(range) + strlen(name), err);
}

static int send_run(const struct piece *piece, size_t end, struct error *err)
{
	const struct run *run = &piece->run;

	if (run->kind == NOTHING || end == run->start)
		return 0;
	if (run->kind == SAME)
		return send_same(piece, end, err);
	return image_write(piece->writer, IMAGE_DATA, piece->at + run->start,
			   piece->bytes + run->start, end - run->start, err);
}

/* What is no whole page, at the end, is data. */
static struct run judge(const struct piece *piece, size_t start, size_t length)
{
	struct run run = { .kind = DATA, .start = start };
	const unsigned char *page = piece->bytes + start;

	if (length < page_size())
		return run;
	if (page_is_zero(page))
		run.kind = NOTHING;
	else if (piece->index != NULL &&
		 content_index_claim(piece->index, page_hash(&piece->index->key, page), &run.place))
		run.kind = SAME;
	return run;
}

static bool goes_on(const struct run *run, const struct run *next)
{
	return run->kind == next->kind &&
	       (run->kind != SAME ||
		(run->place.object == next->place.object &&
		 run->place.offset + (next->start - run->start) == next->place.offset));
}

int image_piece_send(struct image_writer *writer, struct content_index *index, uint64_t at,
		     const unsigned char *bytes, size_t length, struct error *err)
{
	struct piece piece = { .writer = writer, .at = at, .bytes = bytes };

	if (index != NULL && content_index_has_any(index))
		piece.index = index;
	for (size_t start = 0; start < length; start += page_size()) {
		struct run next = judge(&piece, start, length - start);

		if (goes_on(&piece.run, &next))
			continue;
		if (send_run(&piece, start, err) < 0)
			return -1;
		piece.run = next;
	}
	return send_run(&piece, length, err);
}
