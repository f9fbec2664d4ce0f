// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading another process's pages, and for sending what has changed in them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/page_scan.h"
#include "system/page_send.h"

/* As many pieces as a block can have. */
#define RUNS_MAX 32

int page_sender_prepare(struct page_sender *sender, struct error *err)
{
	sender->buffer = aligned_alloc(page_size(), PAGE_BLOCK_SIZE);
	if (sender->buffer == NULL)
		return error_system(err, "cannot get memory to send from");
	return page_hash_key_make(&sender->key, err);
}

/* Frames that follow are about this file. */
static int choose_file(struct page_sender *sender, const char *name, struct error *err)
{
	if (strcmp(sender->current, name) == 0)
		return 0;
	snprintf(sender->current, sizeof(sender->current), "%s", name);
	return image_write(&sender->writer, IMAGE_FILE, 0, name, strlen(name), err);
}

static const char *name_of(pid_t inside, char name[PAGE_FILE_SIZE])
{
	snprintf(name, PAGE_FILE_SIZE, "%d", (int)inside);
	return name;
}

int page_send_size(struct page_sender *sender, pid_t inside, uint64_t size, struct error *err)
{
	char name[PAGE_FILE_SIZE];

	if (choose_file(sender, name_of(inside, name), err) < 0)
		return -1;
	return image_write(&sender->writer, IMAGE_SIZE, size, NULL, 0, err);
}

int page_send_ranges(struct page_sender *sender, const char *name, enum image_frame_kind kind,
		     uint64_t base, uint64_t pages, struct error *err)
{
	struct page_run run;

	if (pages != 0 && choose_file(sender, name, err) < 0)
		return -1;
	while (page_run_take(&pages, &run))
		if (image_write_range(&sender->writer, kind, base + run.first * page_size(),
				      run.count * page_size(), err) < 0)
			return -1;
	return 0;
}

int page_send_zeros(struct page_sender *sender, pid_t inside, const struct page_block *block,
		    uint64_t pages, struct error *err)
{
	char name[PAGE_FILE_SIZE];

	return page_send_ranges(sender, name_of(inside, name), IMAGE_ZERO,
				block->number * PAGE_BLOCK_SIZE, pages & block->filled, err);
}

int page_send_missing(struct page_sender *sender, pid_t inside, const struct page_block *block,
		      uint64_t pages, struct error *err)
{
	char name[PAGE_FILE_SIZE];

	return page_send_ranges(sender, name_of(inside, name), IMAGE_MISSING,
				block->number * PAGE_BLOCK_SIZE, pages, err);
}

/* Pages that may not be read by the process itself, or are next to what has gone: one by one. */
static uint64_t read_singly(pid_t pid, uint64_t base, uint64_t pages, unsigned char *buffer)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/mem", (int)pid);
	CLEANUP(descriptor_close) int memory = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = page_size();
	uint64_t got = 0;

	for (; pages != 0 && memory >= 0; pages &= pages - 1) {
		size_t at = (size_t)__builtin_ctzll(pages) * size;

		if (pread(memory, buffer + at, size, (off_t)(base + at)) == (ssize_t)size)
			got |= pages & -pages;
	}
	return got;
}

/* Reads pages of a block to their places in the buffer; returns those that could be read. */
static uint64_t read_pages(pid_t pid, uint64_t base, uint64_t pages, unsigned char *buffer)
{
	struct iovec there[RUNS_MAX];
	struct iovec here[RUNS_MAX];
	size_t size = page_size();
	uint64_t left = pages;
	uint64_t got = 0;
	unsigned long count = 0;
	struct page_run run;
	ssize_t length;

	for (; count < RUNS_MAX && page_run_take(&left, &run); count++) {
		here[count] = (struct iovec){ buffer + run.first * size, run.count * size };
		there[count] = (struct iovec){ (void *)(uintptr_t)(base + run.first * size),
					       run.count * size };
	}
	do
		length = process_vm_readv(pid, here, count, there, count, 0);
	while (length < 0 && errno == EINTR);
	for (left = pages; length >= (ssize_t)size; length -= (ssize_t)size, left &= left - 1)
		got |= left & -left;
	return left == 0 ? got : got | read_singly(pid, base, left, buffer);
}

int page_send_data(struct page_sender *sender, const char *name, uint64_t base, uint64_t pages,
		   struct error *err)
{
	size_t size = page_size();
	struct page_run run;

	if (pages != 0 && choose_file(sender, name, err) < 0)
		return -1;
	while (page_run_take(&pages, &run))
		if (image_write(&sender->writer, IMAGE_DATA, base + run.first * size,
				sender->buffer + run.first * size, run.count * size, err) < 0)
			return -1;
	return 0;
}

/* Of the pages in the buffer: their hashes, and which are not what the destination has. */
static uint64_t compare(const struct page_sender *sender, const struct page_block *block,
			uint64_t pages, struct page_hash *hashes)
{
	static const struct page_hash zero = PAGE_HASH_ZERO;
	uint64_t different = 0;

	for (; pages != 0; pages &= pages - 1) {
		uint64_t page = pages & -pages;
		unsigned int place = (unsigned int)__builtin_ctzll(page);
		const unsigned char *bytes = sender->buffer + place * page_size();

		hashes[place] = page_is_zero(bytes) ? zero : page_hash(&sender->key, bytes);
		if ((block->known & page) == 0 ||
		    !page_hash_is_same(hashes[place], sent_pages_hash(block, page)))
			different |= page;
	}
	return different;
}

int page_send_block(struct page_sender *sender, pid_t pid, pid_t inside, struct page_block *block,
		    bool settled, struct error *err)
{
	uint64_t base = block->number * PAGE_BLOCK_SIZE;
	uint64_t read = read_pages(pid, base, block->open, sender->buffer);
	struct page_hash hashes[64];
	uint64_t different = compare(sender, block, read, hashes);
	uint64_t zeros = sender->follows ? 0 : sent_pages_zeros(different, hashes);
	char name[PAGE_FILE_SIZE];

	if (settled)
		block->recent &= ~read;
	if (page_send_zeros(sender, inside, block, zeros, err) < 0 ||
	    page_send_data(sender, name_of(inside, name), base, different & ~zeros, err) < 0)
		return -1;
	sent_pages_know(block, read, hashes);
	return 0;
}
