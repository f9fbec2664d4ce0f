/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of sending memory: what criu's images say is not in them is there, page by page.
 */
#ifndef SYSTEM_MEMORY_REST_H
#define SYSTEM_MEMORY_REST_H

#include <stdint.h>

#include "base/error.h"
#include "system/memory_processes.h"
#include "system/page_send.h"
#include "system/pagemap_image.h"

/* Reads every pagemap-PID.img in `images`, sends each page that it calls lazy and that the destination does not
 * have as it is now, then each file's size (not below the end of its last such page), then the stream's
 * end. A page that cannot be read is an error. */
int memory_send_rest(struct page_sender *sender, struct memory_processes *processes,
		     const char *images, struct error *err);

/* The same pages, for whoever does something else with them. Visits each process of which criu left memory to us. */
typedef int memory_rest_visitor(void *data, struct memory_process *process,
				const struct pagemap_image *image, struct error *err);
int memory_rest_visit(struct memory_processes *processes, const char *images,
		      memory_rest_visitor *visit, void *data, struct error *err);

/* Opens those of them that are not known to be there as they are now. Returns where the last of them ends. */
uint64_t memory_rest_open(struct sent_pages *sent, const struct pagemap_image *image);

#endif
