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

/* Neighbouring pages of a block. */
struct run {
	unsigned int first;
	unsigned int count;
};

/* Takes the first run out of a set; false when it is empty. */
static bool take_run(uint64_t *pages, struct run *run)
{
	uint64_t shifted;

	if (*pages == 0)
		return false;
	run->first = (unsigned int)__builtin_ctzll(*pages);
	shifted = *pages >> run->first;
	run->count = ~shifted == 0 ? 64 : (unsigned int)__builtin_ctzll(~shifted);
	/* Shifting by 64 is not defined; then nothing is left. */
	*pages = run->first + run->count < 64
			 ? *pages >> (run->first + run->count) << (run->first + run->count)
			 : 0;
	return true;
}

int page_sender_prepare(struct page_sender *sender, struct error *err)
{
	sender->buffer = aligned_alloc(page_size(), PAGE_BLOCK_SIZE);
	if (sender->buffer == NULL)
		return error_system(err, "cannot get memory to send from");
	return page_hash_key_make(&sender->key, err);
}

void page_sender_release(struct page_sender *sender)
{
	free(sender->buffer);
	image_writer_release(&sender->writer);
	page_hash_key_release(&sender->key);
	*sender = (struct page_sender){ 0 };
}

static int choose_file(struct page_sender *sender, pid_t inside, struct error *err)
{
	char name[16];

	if (sender->current == inside)
		return 0;
	sender->current = inside;
	snprintf(name, sizeof(name), "%d", (int)inside);
	return image_write(&sender->writer, IMAGE_FILE, 0, name, strlen(name), err);
}

int page_send_size(struct page_sender *sender, pid_t inside, uint64_t size, struct error *err)
{
	if (choose_file(sender, inside, err) < 0)
		return -1;
	return image_write(&sender->writer, IMAGE_SIZE, size, NULL, 0, err);
}

/* Says of these pages of a block what they are. */
static int send_ranges(struct page_sender *sender, pid_t inside, enum image_frame_kind kind,
		       const struct page_block *block, uint64_t pages, struct error *err)
{
	struct run run;

	if (pages != 0 && choose_file(sender, inside, err) < 0)
		return -1;
	while (take_run(&pages, &run))
		if (image_write_range(&sender->writer, kind,
				      block->number * PAGE_BLOCK_SIZE + run.first * page_size(),
				      run.count * page_size(), err) < 0)
			return -1;
	return 0;
}

int page_send_zeros(struct page_sender *sender, pid_t inside, const struct page_block *block,
		    uint64_t pages, struct error *err)
{
	return send_ranges(sender, inside, IMAGE_ZERO, block, pages & block->filled, err);
}

int page_send_missing(struct page_sender *sender, pid_t inside, const struct page_block *block,
		      uint64_t pages, struct error *err)
{
	return send_ranges(sender, inside, IMAGE_MISSING, block, pages, err);
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
	struct run run;
	ssize_t length;

	for (; count < RUNS_MAX && take_run(&left, &run); count++) {
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

/* Sends a set of pages that are in the buffer. */
static int send_data(struct page_sender *sender, uint64_t base, uint64_t pages, struct error *err)
{
	size_t size = page_size();
	struct run run;

	while (take_run(&pages, &run))
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

	if (settled)
		block->recent &= ~read;
	if (different != 0) {
		if (choose_file(sender, inside, err) < 0 ||
		    page_send_zeros(sender, inside, block, zeros, err) < 0 ||
		    send_data(sender, base, different & ~zeros, err) < 0)
			return -1;
	}
	sent_pages_know(block, read, hashes);
	return 0;
}
