// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for nothing being missing of what criu's images leave to the memory stream. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "system/memory_rest.h"
#include "system/page_scan.h"
#include "system/pagemap_image.h"

/* Did criu leave these pages to us? */
static bool is_ours(const struct pagemap_range *range)
{
	return (range->flags & (PAGEMAP_LAZY | PAGEMAP_PRESENT)) == PAGEMAP_LAZY;
}

static uint64_t end_of(const struct pagemap_range *range)
{
	return range->start + range->pages * page_size();
}

static void open_range(struct sent_pages *sent, const struct pagemap_range *range)
{
	for (uint64_t at = range->start, end = end_of(range); at < end;) {
		struct page_block *block = sent_pages_block(sent, at);
		uint64_t pages = sent_pages_take(&at, end);

		block->present |= pages;
		block->open |= pages & ~block->known;
	}
}

uint64_t memory_rest_open(struct sent_pages *sent, const struct pagemap_image *image)
{
	uint64_t size = 0;

	for (size_t i = 0; i < image->count; i++)
		if (is_ours(&image->ranges[i])) {
			size = end_of(&image->ranges[i]);
			open_range(sent, &image->ranges[i]);
		}
	return size;
}

static int send_open(struct page_sender *sender, struct memory_process *process, struct error *err)
{
	for (size_t i = 0; i < process->sent.count; i++) {
		struct page_block *block = &process->sent.blocks[i];

		if (block->open != 0 &&
		    page_send_block(sender, process->pid, process->inside, block, true, err) < 0)
			return -1;
	}
	return 0;
}

static int check_range(struct memory_process *process, const struct pagemap_range *range,
		       struct error *err)
{
	for (uint64_t at = range->start, end = end_of(range); at < end;) {
		const struct page_block *block = sent_pages_block(&process->sent, at);
		uint64_t pages = sent_pages_take(&at, end);
		uint64_t unread = pages & (block->open | ~block->known);

		if (unread != 0)
			return error_set(err, "cannot read the memory of process %d at %#llx",
					 (int)process->pid,
					 (unsigned long long)(block->number * PAGE_BLOCK_SIZE +
							      (uint64_t)__builtin_ctzll(unread) *
								      page_size()));
	}
	return 0;
}

static int send_image(void *data, struct memory_process *process, const struct pagemap_image *image,
		      struct error *err)
{
	struct page_sender *sender = data;
	uint64_t size = memory_rest_open(&process->sent, image);

	if (send_open(sender, process, err) < 0)
		return -1;
	for (size_t i = 0; i < image->count; i++)
		if (is_ours(&image->ranges[i]) && check_range(process, &image->ranges[i], err) < 0)
			return -1;
	return page_send_size(sender, process->inside, size, err);
}

static bool has_lazy(const struct pagemap_image *image)
{
	for (size_t i = 0; i < image->count; i++)
		if (is_ours(&image->ranges[i]))
			return true;
	return false;
}

static int visit_image(const struct memory_processes *processes, const char *images,
		       const char *name, pid_t inside, memory_rest_visitor *visit, void *data,
		       struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", images, name);
	CLEANUP(pagemap_image_release) struct pagemap_image image = { 0 };
	struct memory_process *process = memory_processes_find(processes, inside);

	if (pagemap_image_read(path, &image, err) < 0)
		return -1;
	if (!has_lazy(&image))
		return 0;
	if (process == NULL)
		return error_set(err, "'%s' leaves memory to us of a process that was not there",
				 path);
	return visit(data, process, &image, err);
}

int memory_rest_visit(struct memory_processes *processes, const char *images,
		      memory_rest_visitor *visit, void *data, struct error *err)
{
	DIR *directory = opendir(images);
	struct dirent *entry;
	int outcome = 0;

	if (directory == NULL)
		return error_system(err, "cannot read the images in '%s'", images);
	while (outcome == 0 && (entry = readdir(directory)) != NULL) {
		int inside;
		int length = 0;

		/* Not "pagemap-shmem-N.img". */
		if (sscanf(entry->d_name, "pagemap-%d.img%n", &inside, &length) == 1 &&
		    length > 0 && entry->d_name[length] == '\0' && inside > 0)
			outcome = visit_image(processes, images, entry->d_name, (pid_t)inside,
					      visit, data, err);
	}
	closedir(directory);
	return outcome;
}

int memory_send_rest(struct page_sender *sender, struct memory_processes *processes,
		     const char *images, struct error *err)
{
	if (memory_rest_visit(processes, images, send_image, sender, err) < 0)
		return -1;
	return image_write_end(&sender->writer, err);
}
