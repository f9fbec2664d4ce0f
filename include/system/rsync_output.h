/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rsync prints while it works: how many bytes of files are over, and at its end how many bytes
 * it sent.
 */
#ifndef SYSTEM_RSYNC_OUTPUT_H
#define SYSTEM_RSYNC_OUTPUT_H

#include <stdint.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"

/* Start from RSYNC_OUTPUT_NONE. */
struct rsync_output {
	int reading;		   /* -1: closed */
	int watch;		   /* while somebody waits for rsync */
	struct progress *progress; /* borrowed; NULL: nobody wants to know */
	struct text line;	   /* as far as it is there */
	int64_t sent;		   /* over the connection */
};

#define RSYNC_OUTPUT_NONE                                                                          \
	{                                                                                          \
		.reading = -1, .watch = -1                                                         \
	}

/* Options of rsync by which it says that. */
extern const char *const rsync_output_options[];

/* A descriptor for rsync's standard output, the caller's to close; -1 on failure. From here on what comes
 * is read in every wait. */
int rsync_output_open(struct rsync_output *output, struct progress *progress, struct error *err);

/* rsync has ended: reads the rest. */
void rsync_output_close(struct rsync_output *output);

/* Some more of it; for rsync_output_open()'s watch, and for tests. */
void rsync_output_take(struct rsync_output *output, const char *bytes, size_t length);

void rsync_output_release(struct rsync_output *output);

#endif
