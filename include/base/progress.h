/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a copy is: whoever copies says how many bytes are over, and now and then an event says
 * "progress" with bytes, total, rate (bytes a second) and eta (seconds).
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *kind; /* of the bytes: "files", "changes", "memory" */
	int64_t total;	  /* 0: not known */
	bool estimated;	  /* the total is no better than the last percentage */
	int64_t before;	  /* of the parts that are done */
	int64_t bytes;
	int64_t shown_at; /* wait_clock() of the last event */
	int64_t shown;	  /* its bytes */
	double rate;	  /* smoothed over a few events */
};

void progress_begin(struct progress *progress, const char *kind, int64_t total);

/* So many bytes of the present part are over. Cheap: most calls emit nothing. */
void progress_set(struct progress *progress, int64_t bytes);

/* The present part is said to be over to so many percent: where there is no total, one follows. */
void progress_estimate(struct progress *progress, int64_t bytes, int percent);

/* The present part is done, and its bytes count for the whole. */
void progress_part(struct progress *progress);

/* The last event: all of it is over. */
void progress_end(struct progress *progress);

#endif
