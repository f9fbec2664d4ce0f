// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the order in which a container's memory is scanned and sent. */
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/content_send.h"
#include "system/memory_follow.h"
#include "system/memory_processes.h"
#include "system/memory_rest.h"
#include "system/memory_send.h"
#include "system/pace.h"
#include "system/page_scan.h"
#include "system/page_send.h"

struct sending {
	const struct memory_send *order;
	struct memory_processes processes;
	struct page_sender sender;
	struct content_sender content;
	int64_t next_scan; /* not before this: wait_clock() */
	struct pace pace;  /* of the present round */
};

static void note_pages(void *data, uint64_t start, uint64_t end, enum page_state state)
{
	sent_pages_note(data, start, end, state);
}

static int scan(struct memory_process *process, bool last, struct error *err)
{
	int outcome;

	sent_pages_begin(&process->sent);
	outcome = last ? memory_track_scan_last(&process->track, note_pages, &process->sent, err)
		       : memory_track_scan(&process->track, note_pages, &process->sent, err);
	sent_pages_finish(&process->sent, last);
	process->scanned_at = wait_clock();
	return outcome;
}

static int scan_all(struct sending *sending, bool last, struct memory_round *round,
		    struct error *err)
{
	struct memory_processes *processes = &sending->processes;

	if (memory_processes_update(processes, err) < 0)
		return -1;
	round->processes = (int64_t)processes->count;
	for (size_t i = 0; i < processes->count; i++) {
		struct memory_process *process = &processes->items[i];

		if (scan(process, last, err) < 0)
			return -1;
		round->resident += (int64_t)(process->sent.resident * page_size());
		round->changed += (int64_t)(process->sent.changed * page_size());
		round->untracked += process->track.registered.count == 0;
	}
	return 0;
}

/* What a process had, and has no more, is taken away over there first. */
static int send_process(struct sending *sending, struct memory_process *process, bool last,
			bool later, struct error *err)
{
	struct page_sender *sender = &sending->sender;

	for (size_t i = 0; i < process->sent.count; i++) {
		struct page_block *block = &process->sent.blocks[i];
		uint64_t gone = block->filled & ~block->present;
		bool settled = last || wait_clock() - process->scanned_at >= TRACK_SETTLE_MS;

		if (page_send_zeros(sender, process->inside, block, gone, err) < 0)
			return -1;
		if (gone != 0)
			sent_pages_forget(block, gone);
		if (block->open != 0 && !later &&
		    page_send_block(sender, process->pid, process->inside, block, settled, err) < 0)
			return -1;
		if (!last && pace_keep(&sending->pace, &sender->writer, err) < 0)
			return -1;
	}
	sent_pages_shrink(&process->sent);
	return 0;
}

static int send_all(struct sending *sending, bool last, bool later, struct error *err)
{
	struct memory_processes *processes = &sending->processes;

	/* Before anybody new: it may have the pid of one that has ended. */
	for (size_t i = 0; i < processes->gone_count; i++)
		if (page_send_size(&sending->sender, processes->gone[i], 0, err) < 0)
			return -1;
	processes->gone_count = 0;
	for (size_t i = 0; i < processes->count; i++)
		if (send_process(sending, &processes->items[i], last, later, err) < 0)
			return -1;
	return 0;
}

static int64_t open_bytes(const struct memory_processes *processes)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < processes->count; i++)
		for (size_t k = 0; k < processes->items[i].sent.count; k++) {
			const struct page_block *block = &processes->items[i].sent.blocks[k];

			pages += (uint64_t)__builtin_popcountll(block->open | block->recent);
		}
	return (int64_t)(pages * page_size());
}

static int answer(int control, const struct memory_round *round, struct error *err)
{
	if (send(control, round, sizeof(*round), MSG_NOSIGNAL) != sizeof(*round))
		return error_system(err, "cannot tell of a round");
	return 0;
}

static int run_round(struct sending *sending, int control, struct error *err)
{
	struct image_writer *writer = &sending->sender.writer;
	struct memory_round round = { 0 };
	int64_t early = sending->next_scan - wait_clock();

	if (early > 0 && wait_sleep((int)early, err) < 0)
		return -1;
	pace_begin(&sending->pace, writer);
	if (scan_all(sending, false, &round, err) < 0)
		return -1;
	sending->next_scan = wait_clock() + TRACK_SETTLE_MS;
	image_writer_pause(writer);
	writer->choice.limit = (double)sending->order->bandwidth;
	/* Last what is not tracked: it counts from when it was read. */
	if (send_all(sending, false, false, err) < 0 ||
	    content_send_round(&sending->content, &sending->sender, &sending->processes,
			       &sending->pace, sending->order->answers, &round.dumped, err) < 0)
		return -1;
	round.sent = writer->traffic.sent - sending->pace.before.sent;
	round.raw = writer->traffic.raw - sending->pace.before.raw;
	round.open = open_bytes(&sending->processes);
	round.milliseconds = wait_clock() - sending->pace.began;
	return answer(control, &round, err);
}

/* The dump waits for the answer: first all scans, then everything else. What notices writes stays until this
 * process ends: criu does not mind. */
static int run_last(struct sending *sending, int control, bool later, struct error *err)
{
	struct memory_round round = { 0 };
	int64_t began = wait_clock();

	if (scan_all(sending, true, &round, err) < 0)
		return -1;
	round.open = open_bytes(&sending->processes);
	round.milliseconds = wait_clock() - began;
	if (answer(control, &round, err) < 0)
		return -1;
	image_writer_pause(&sending->sender.writer);
	sending->sender.writer.choice.limit = 0;
	return send_all(sending, true, later, err);
}

/* A process or two more than the usual limit has are no reason to send everything twice. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int read_order(int control, struct memory_order *order, struct error *err)
{
	struct pollfd ready = { control, POLLIN, 0 };

	if (wait_for(&ready, 1, -1, err) < 0)
		return -1;
	if (recv(control, order, sizeof(*order), MSG_WAITALL) != sizeof(*order))
		return error_set(err, "nobody wants it any more");
	order->images[sizeof(order->images) - 1] = '\0';
	return 0;
}

static int run_follow(struct sending *sending, int control, const char *images, struct error *err)
{
	struct memory_round round = { 0 };
	int answers = sending->order->answers;

	if (memory_follow_announce(&sending->sender, &sending->processes, images, answers,
				   &round.open, err) < 0 ||
	    answer(control, &round, err) < 0)
		return -1;
	return memory_follow_send(&sending->sender, &sending->processes, answers, err);
}

static int work(struct sending *sending, int control, struct error *err)
{
	struct memory_order order;

	for (;;) {
		int outcome;

		if (read_order(control, &order, err) < 0)
			return -1;
		if (order.kind == MEMORY_FINISH)
			return memory_send_rest(&sending->sender, &sending->processes, order.images,
						err);
		if (order.kind == MEMORY_FOLLOW)
			return run_follow(sending, control, order.images, err);
		outcome = order.kind == MEMORY_ROUND
				  ? run_round(sending, control, err)
				  : run_last(sending, control, order.later != 0, err);
		if (outcome < 0)
			return -1;
	}
}

int memory_send(void *data, int control, int output, bool packs, struct image_traffic *traffic,
		struct error *err)
{
	const struct memory_send *order = data;
	/* Released by the end of this process, which comes late (image_stream.c). */
	struct sending sending = {
		.order = order,
		.sender = { .writer = { .output = output, .choice = { .allowed = packs } } },
		.content = { .index = order->index },
		.pace = { .bandwidth = order->bandwidth },
	};

	allow_descriptors();
	if (page_sender_prepare(&sending.sender, err) < 0 ||
	    memory_processes_open(&sending.processes, order->init, order->method, err) < 0 ||
	    work(&sending, control, err) < 0)
		return -1;
	*traffic = sending.sender.writer.traffic;
	return 0;
}
