// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what is sent of memory after the switch, and for its order. */
#include <endian.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/image_ask.h"
#include "system/memory_follow.h"
#include "system/memory_rest.h"
#include "system/page_scan.h"

/* The number of the only `ready` in a stream. */
#define READY 1

struct announcing {
	struct page_sender *sender;
	int64_t bytes;
};

/* What has changed since it was sent is not known any more, and what criu dumps itself is not ours. */
static void forget_open(struct sent_pages *sent)
{
	for (size_t i = 0; i < sent->count; i++) {
		struct page_block *block = &sent->blocks[i];

		sent_pages_forget(block, block->open);
		block->open = 0;
	}
}

static int announce_process(void *data, struct memory_process *process,
			    const struct pagemap_image *image, struct error *err)
{
	struct announcing *announcing = data;
	struct sent_pages *sent = &process->sent;
	uint64_t size = memory_rest_open(sent, image);

	if (page_send_size(announcing->sender, process->inside, size, err) < 0)
		return -1;
	for (size_t i = 0; i < sent->count; i++) {
		const struct page_block *block = &sent->blocks[i];

		if (page_send_missing(announcing->sender, process->inside, block, block->open,
				      err) < 0)
			return -1;
		announcing->bytes +=
			(int64_t)((uint64_t)__builtin_popcountll(block->open) * page_size());
	}
	return 0;
}

int memory_follow_announce(struct page_sender *sender, struct memory_processes *processes,
			   const char *images, int answers, int64_t *missing, struct error *err)
{
	struct announcing announcing = { .sender = sender };

	for (size_t i = 0; i < processes->count; i++)
		forget_open(&processes->items[i].sent);
	if (memory_rest_visit(processes, images, announce_process, &announcing, err) < 0 ||
	    image_ask(&sender->writer, IMAGE_READY, READY, answers, err) < 0)
		return -1;
	*missing = announcing.bytes;
	return 0;
}

static int send_block(struct page_sender *sender, struct memory_process *process,
		      struct page_block *block, struct error *err)
{
	if (block->open == 0)
		return 0;
	if (page_send_block(sender, process->pid, process->inside, block, true, err) < 0)
		return -1;
	if (block->open != 0)
		return error_set(err, "cannot read all memory of process %d", (int)process->pid);
	return 0;
}

/* Whatever is asked for, nothing is sent but what was announced. */
static int serve(struct page_sender *sender, struct memory_processes *processes,
		 const struct image_request *request, struct error *err)
{
	struct memory_process *process =
		memory_processes_find(processes, (pid_t)le32toh(request->process));
	struct page_block *block =
		process != NULL ? sent_pages_find(&process->sent, le64toh(request->address)) : NULL;

	return block != NULL ? send_block(sender, process, block, err) : 0;
}

/* As many as are there. They come whole, or the receiver has ended, which is seen in sending. */
static int serve_requests(struct page_sender *sender, struct memory_processes *processes,
			  int answers, struct error *err)
{
	struct image_request request;

	while (recv(answers, &request, sizeof(request), MSG_PEEK | MSG_DONTWAIT) ==
	       sizeof(request)) {
		if (recv(answers, &request, sizeof(request), MSG_DONTWAIT) != sizeof(request))
			return error_set(err, "the receiver asks for half a page");
		if (serve(sender, processes, &request, err) < 0)
			return -1;
	}
	return 0;
}

/* Until the receiver ends. Requests for what is on its way already still come, and if nobody took them the carrier would
 * end the receiver, with what is on its way. How it ended says its status. */
static int hear_the_end(int answers, struct error *err)
{
	struct pollfd ready = { answers, POLLIN, 0 };
	char unread[1024];

	do
		if (wait_for(&ready, 1, -1, err) < 0)
			return -1;
	while (recv(answers, unread, sizeof(unread), 0) > 0);
	return 0;
}

int memory_follow_send(struct page_sender *sender, struct memory_processes *processes, int answers,
		       struct error *err)
{
	image_writer_pause(&sender->writer);
	sender->follows = true;
	for (size_t i = 0; i < processes->count; i++) {
		struct memory_process *process = &processes->items[i];

		for (size_t k = 0; k < process->sent.count; k++)
			if (serve_requests(sender, processes, answers, err) < 0 ||
			    send_block(sender, process, &process->sent.blocks[k], err) < 0)
				return -1;
	}
	if (image_write_end(&sender->writer, err) < 0)
		return -1;
	return hear_the_end(answers, err);
}
