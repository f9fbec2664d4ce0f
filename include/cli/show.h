/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that a person or a script gets to see passes here, as events (base/event.h): log
 * messages, stages, progress, checks, results. They are JSON lines with --batch, else text
 * (cli/report.h); the worker of a parallel run (cli/parallel.h) sends them to who prints.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <stdbool.h>

#include <json-c/json.h>

struct show_options {
	bool batch;  /* JSON */
	bool times;  /* text: how long each stage took */
	bool checks; /* text: also checks that found nothing */
};

/* From here on the log and all events are shown. May be called again. */
void show_begin(const struct show_options *options);

/* From here on they are sent, each as one message, to the other end of a SOCK_SEQPACKET pair. */
void show_send_to(int socket);

/* An event that such a worker sent; what is no event is dropped. */
void show_received(const char *message, size_t length);

/* Which container the events of this process are about; NULL: none. Borrowed. */
void show_container(const char *id);

/* Is it JSON that is shown? */
bool show_is_batch(void);

#endif
