/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criu's image pagemap-ID.img, of one process (ID: its pid inside the container) or one piece of shared
 * memory: which of its pages criu has seen, and where their content is.
 */
#ifndef SYSTEM_PAGEMAP_IMAGE_H
#define SYSTEM_PAGEMAP_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What criu says of a range of pages (its PE_ flags, 4.2). */
#define PAGEMAP_PARENT (1U << 0)  /* the content is in the parent images */
#define PAGEMAP_LAZY (1U << 1)	  /* it may be brought after the restore */
#define PAGEMAP_PRESENT (1U << 2) /* it is in pages-*.img */

struct pagemap_range {
	uint64_t start; /* a virtual address, of a whole page */
	uint64_t pages; /* at least one */
	uint32_t flags;
};

/* { 0 } is empty. */
struct pagemap_image {
	struct pagemap_range *ranges; /* sorted, and none overlaps another */
	size_t count;
	uint32_t pages_id; /* of the pages-ID.img that has the PRESENT ones, in this order */
};

/* Reads an image into an empty struct. Whatever is not as said above, or above 2^56, is an error, and then
 * there is nothing to be released. */
int pagemap_image_read(const char *path, struct pagemap_image *image, struct error *err);
void pagemap_image_release(struct pagemap_image *image);

/* Writes an image as criu does. One whose ranges are not as said above is an error. */
int pagemap_image_write(const char *path, const struct pagemap_image *image, struct error *err);

#endif
