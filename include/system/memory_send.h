/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sender's side of system/memory_stream.h: what it is told, what it answers, and its work.
 */
#ifndef SYSTEM_MEMORY_SEND_H
#define SYSTEM_MEMORY_SEND_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "system/content_index.h"
#include "system/image_stream.h"
#include "system/memory_stream.h"

enum memory_order_kind { MEMORY_ROUND = 1, MEMORY_LAST, MEMORY_FINISH, MEMORY_FOLLOW };

/* Round, last and follow are answered by a struct memory_round, finish by the end, which is also that of follow.
 * Both ends are the same program. */
struct memory_order {
	int32_t kind;
	int32_t later;	       /* for last: what has changed is not sent; `follow` will */
	char images[PATH_MAX]; /* for finish and follow */
};

struct memory_send {
	pid_t init;
	enum track_method method; /* one that this kernel has */
	int64_t bandwidth;
	struct content_index *index; /* NULL: memory that criu dumps itself is left to it */
	int answers;		     /* of the receiver */
};

/* An image_sender, of a struct memory_send. */
image_sender memory_send;

#endif
