/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending what is left of the memory after its processes run over there already (--lazy): the destination is told
 * which pages it will get later; they follow in order, those that somebody waits for first.
 */
#ifndef SYSTEM_MEMORY_FOLLOW_H
#define SYSTEM_MEMORY_FOLLOW_H

#include <stdint.h>

#include "base/error.h"
#include "system/memory_processes.h"
#include "system/page_send.h"

/* Tells which pages of those that criu's images leave to us will follow, and returns when the destination
 * knows (its word comes on `answers`). *missing gets how many bytes that is. */
int memory_follow_announce(struct page_sender *sender, struct memory_processes *processes,
			   const char *images, int answers, int64_t *missing, struct error *err);

/* Sends them, and the stream's end. On `answers` the destination says what it wants first; returns when it has ended,
 * however. */
int memory_follow_send(struct page_sender *sender, struct memory_processes *processes, int answers,
		       struct error *err);

#endif
