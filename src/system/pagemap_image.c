// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading and writing criu's pagemap images. */
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "system/page_scan.h"
#include "system/pagemap_image.h"
#include "system/protobuf.h"

/* The two words at the start: "an image", and "of a pagemap". */
#define IMAGE_MAGIC 0x54564319U
#define PAGEMAP_MAGIC 0x56084025U

/* A range takes some 15 bytes: enough for 100 GiB of which every other page is another's. */
#define IMAGE_LIMIT ((size_t)256 << 20)

/* No architecture of Linux has more for processes. */
#define ADDRESS_LIMIT ((uint64_t)1 << 56)

#define KNOWN_FLAGS (PAGEMAP_PARENT | PAGEMAP_LAZY | PAGEMAP_PRESENT)

/* The numbers of the fields of criu's pagemap_head and pagemap_entry. */
enum { HEAD_PAGES_ID = 1 };
enum { ENTRY_START = 1, ENTRY_OLD_PAGES, ENTRY_IN_PARENT, ENTRY_FLAGS, ENTRY_PAGES, ENTRY_FIELDS };

static int take_word(struct protobuf *image, uint32_t *word)
{
	if (image->left < sizeof(*word))
		return -1;
	memcpy(word, image->at, sizeof(*word));
	*word = le32toh(*word);
	image->at += sizeof(*word);
	image->left -= sizeof(*word);
	return 0;
}

/* A record is its length and a message. */
static int take_record(struct protobuf *image, struct protobuf *record)
{
	uint32_t length;

	if (take_word(image, &length) < 0 || length > image->left)
		return -1;
	*record = (struct protobuf){ .at = image->at, .left = length };
	image->at += length;
	image->left -= length;
	return 0;
}

/* The numbers among a message's fields; of one that is there twice the last counts. `known` has a bit for
 * each that is there. */
static int read_numbers(struct protobuf *record, uint64_t values[ENTRY_FIELDS], unsigned int *known)
{
	struct protobuf_field field;
	int found;

	*known = 0;
	while ((found = protobuf_next(record, &field)) == 1) {
		if (field.number == 0 || field.number >= ENTRY_FIELDS)
			continue;
		if (field.encoding != PROTOBUF_NUMBER)
			return -1;
		values[field.number] = field.value;
		*known |= 1U << field.number;
	}
	return found;
}

static int read_head(struct protobuf *image, uint32_t *pages_id)
{
	uint64_t values[ENTRY_FIELDS] = { 0 };
	struct protobuf record;
	unsigned int known;
	uint32_t first;
	uint32_t second;

	if (take_word(image, &first) < 0 || first != IMAGE_MAGIC || take_word(image, &second) < 0 ||
	    second != PAGEMAP_MAGIC || take_record(image, &record) < 0 ||
	    read_numbers(&record, values, &known) < 0 || (known & 1U << HEAD_PAGES_ID) == 0 ||
	    values[HEAD_PAGES_ID] > UINT32_MAX)
		return -1;
	*pages_id = (uint32_t)values[HEAD_PAGES_ID];
	return 0;
}

/* Images of older versions say less: the same meaning for what they leave out as criu gives it. */
static int read_entry(struct protobuf *image, struct pagemap_range *range)
{
	uint64_t values[ENTRY_FIELDS] = { 0 };
	struct protobuf record;
	unsigned int known;

	if (take_record(image, &record) < 0 || read_numbers(&record, values, &known) < 0 ||
	    (known & 1U << ENTRY_START) == 0 ||
	    (known & (1U << ENTRY_PAGES | 1U << ENTRY_OLD_PAGES)) == 0)
		return -1;
	if ((known & 1U << ENTRY_FLAGS) == 0 && values[ENTRY_IN_PARENT] == 0)
		values[ENTRY_FLAGS] = PAGEMAP_PRESENT;
	if (values[ENTRY_IN_PARENT] != 0)
		values[ENTRY_FLAGS] |= PAGEMAP_PARENT;
	if ((values[ENTRY_FLAGS] & ~(uint64_t)KNOWN_FLAGS) != 0)
		return -1;
	*range = (struct pagemap_range){
		.start = values[ENTRY_START],
		.pages = values[(known & 1U << ENTRY_PAGES) != 0 ? ENTRY_PAGES : ENTRY_OLD_PAGES],
		.flags = (uint32_t)values[ENTRY_FLAGS],
	};
	return 0;
}

/* Is it whole pages, not below `floor`, and not too far up? */
static bool is_sound(const struct pagemap_range *range, uint64_t floor)
{
	return range->start % page_size() == 0 && range->start >= floor &&
	       range->start < ADDRESS_LIMIT && range->pages > 0 &&
	       range->pages <= (ADDRESS_LIMIT - range->start) / page_size();
}

static int parse(struct protobuf left, struct pagemap_image *image)
{
	uint64_t floor = 0;

	if (read_head(&left, &image->pages_id) < 0)
		return -1;
	while (left.left > 0) {
		struct pagemap_range range;

		if (read_entry(&left, &range) < 0 || !is_sound(&range, floor))
			return -1;
		floor = range.start + range.pages * page_size();
		image->ranges = memory_grow(image->ranges, image->count, sizeof(*image->ranges));
		image->ranges[image->count++] = range;
	}
	return 0;
}

int pagemap_image_read(const char *path, struct pagemap_image *image, struct error *err)
{
	CLEANUP(text_release) struct text content = { 0 };
	struct protobuf bytes;

	*image = (struct pagemap_image){ 0 };
	if (file_read(path, IMAGE_LIMIT, &content, err) < 0)
		return -1;
	bytes = (struct protobuf){
		.at = (const unsigned char *)text_string(&content),
		.left = content.length,
	};
	if (parse(bytes, image) == 0)
		return 0;
	pagemap_image_release(image);
	return error_set(err, "'%s' is no image of a pagemap, or damaged", path);
}

void pagemap_image_release(struct pagemap_image *image)
{
	free(image->ranges);
	*image = (struct pagemap_image){ 0 };
}

static void put_word(struct text *bytes, uint32_t word)
{
	word = htole32(word);
	text_append(bytes, &word, sizeof(word));
}

static void put_record(struct text *bytes, struct text *record)
{
	put_word(bytes, (uint32_t)record->length);
	text_append(bytes, text_string(record), record->length);
	text_clear(record);
}

/* As criu 4.2: with the old number of pages, cut to 32 bits, and the new one. */
static void put_entry(struct text *bytes, const struct pagemap_range *range)
{
	CLEANUP(text_release) struct text record = { 0 };

	protobuf_add_number(&record, ENTRY_START, range->start);
	protobuf_add_number(&record, ENTRY_OLD_PAGES, (uint32_t)range->pages);
	protobuf_add_number(&record, ENTRY_FLAGS, range->flags);
	protobuf_add_number(&record, ENTRY_PAGES, range->pages);
	put_record(bytes, &record);
}

int pagemap_image_write(const char *path, const struct pagemap_image *image, struct error *err)
{
	CLEANUP(text_release) struct text bytes = { 0 };
	CLEANUP(text_release) struct text head = { 0 };
	uint64_t floor = 0;

	put_word(&bytes, IMAGE_MAGIC);
	put_word(&bytes, PAGEMAP_MAGIC);
	protobuf_add_number(&head, HEAD_PAGES_ID, image->pages_id);
	put_record(&bytes, &head);
	for (size_t i = 0; i < image->count; i++) {
		const struct pagemap_range *range = &image->ranges[i];

		if (!is_sound(range, floor))
			return error_set(err, "'%s' would name pages twice", path);
		floor = range->start + range->pages * page_size();
		put_entry(&bytes, range);
	}
	return file_write(path, &bytes, 0600, err);
}
