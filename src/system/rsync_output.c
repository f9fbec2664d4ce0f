// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for understanding what rsync prints. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/wait.h"
#include "system/rsync_output.h"

/* It prints a line for each file. Looking now and then costs less than waking for each; for that, the
 * pipe must hold what comes meanwhile. */
#define LOOK_MS 200
#define PIPE_SIZE (1 << 20)

/* With the admin's -v it may print names of any length: no line of interest is longer. */
#define LINE_MAX_KEPT 256

const char *const rsync_output_options[] = { "--info=progress2,stats1", "--no-human-readable",
					     NULL };

/* "    32768  12%    1.50MB/s    0:00:12 (xfr#1, to-chk=3/10)". As long as it says ir-chk, more files are being
 * found, and the percentage means nothing: -1. */
static int parse_progress(const char *line, int64_t *bytes, int *percent)
{
	char *end;

	*bytes = strtoll(line, &end, 10);
	if (end == line || *bytes < 0)
		return -1;
	end += strspn(end, " ");
	if (!isdigit((unsigned char)*end))
		return -1;
	*percent = (int)strtol(end, &end, 10);
	if (*end != '%' || *percent > 100)
		return -1;
	if (strstr(end, "to-chk=") == NULL)
		*percent = -1;
	return 0;
}

/* "sent 220534434 bytes  received 571974 bytes  26012518.59 bytes/sec" */
static int parse_sent(const char *line, int64_t *bytes)
{
	static const char before[] = "sent ";
	char *end;

	if (!text_starts_with(line, before))
		return -1;
	*bytes = strtoll(line + strlen(before), &end, 10);
	return *bytes >= 0 && text_starts_with(end, " bytes  received ") ? 0 : -1;
}

static void take_line(struct rsync_output *output)
{
	const char *line = text_string(&output->line);
	int64_t bytes;
	int percent;

	if (parse_sent(line, &bytes) == 0) {
		output->sent = bytes;
	} else if (output->progress != NULL && parse_progress(line, &bytes, &percent) == 0) {
		progress_estimate(output->progress, bytes, percent);
		progress_set(output->progress, bytes);
	}
	text_clear(&output->line);
}

void rsync_output_take(struct rsync_output *output, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		/* It goes back to the beginning of the line to change it. */
		if (bytes[i] == '\r' || bytes[i] == '\n')
			take_line(output);
		else if (output->line.length < LINE_MAX_KEPT)
			text_append(&output->line, &bytes[i], 1);
	}
}

static int look(void *data, struct error *err)
{
	struct rsync_output *output = data;
	char bytes[16384];
	ssize_t got;

	(void)err;
	while ((got = read(output->reading, bytes, sizeof(bytes))) > 0 ||
	       (got < 0 && errno == EINTR))
		if (got > 0)
			rsync_output_take(output, bytes, (size_t)got);
	return 0;
}

int rsync_output_open(struct rsync_output *output, struct progress *progress, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, "cannot make a pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	/* A smaller one only makes rsync wait now and then. */
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	output->reading = ends[0];
	output->progress = progress;
	output->watch = wait_watch(-1, LOOK_MS, look, output);
	return ends[1];
}

void rsync_output_close(struct rsync_output *output)
{
	struct error ignored;

	if (output->watch >= 0)
		wait_unwatch(output->watch);
	output->watch = -1;
	if (output->reading >= 0)
		look(output, &ignored);
	descriptor_close(&output->reading);
}

void rsync_output_release(struct rsync_output *output)
{
	rsync_output_close(output);
	text_release(&output->line);
}
