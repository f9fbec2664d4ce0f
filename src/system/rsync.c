// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for rsync's command line and for what its exit status means. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/process.h"
#include "system/rsync.h"
#include "system/rsync_output.h"

/* rsync(1), EXIT VALUES */
#define RSYNC_PARTIAL 23
#define RSYNC_VANISHED 24

/* rsync(1), --bwlimit: what a number without a suffix counts */
#define RSYNC_RATE_UNIT 1024

/* Everything is kept: owners by number, ACLs, attributes, hard links, holes, and times to the
 * nanosecond: by whole seconds, a file changed twice in one second would not be sent again. */
static const char *const file_options[] = { "-aHAXS", "--numeric-ids", "--delete",
					    "--modify-window=-1", NULL };
static const char *const image_options[] = { "-a", "--numeric-ids", "--whole-file", "--inplace",
					     NULL };

/*
 * A file that is truncated while it is read makes rsync end with "partial transfer", as any file that
 * cannot be transferred does; only its words tell the two apart.
 */
static bool only_shrank(const struct text *errors)
{
	static const char *const passing[] = { "rsync: [sender] read errors mapping",
					       "rsync error:", "rsync warning:",
					       "file has vanished:" };
	CLEANUP(memory_release) char *copy = memory_duplicate(text_string(errors));
	char *rest = copy;

	/* The beginning was not kept: something else may have been there. */
	if (errors->length >= PROCESS_ERRORS_KEPT)
		return false;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		bool known = *line == '\0';

		for (size_t i = 0; i < COUNT_OF(passing); i++)
			known = known || text_starts_with(line, passing[i]);
		if (!known)
			return false;
	}
	return true;
}

/* rsync's last line only says that it failed; the line before it says why. */
static void find_reason(const char *errors, struct text *reason)
{
	CLEANUP(memory_release) char *copy = memory_duplicate(errors);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char shown[300];

		line = text_strip(line);
		if (*line == '\0' || text_starts_with(line, "rsync error:"))
			continue;
		text_printable(shown, sizeof(shown), line, strlen(line));
		text_clear(reason);
		text_format(reason, "%s", shown);
		if (text_starts_with(line, "rsync:"))
			return;
	}
}

/* rsync takes a backslash for itself unless there is something to escape. */
static void add_exception(struct words *argv, const char *except)
{
	CLEANUP(text_release) struct text pattern = { 0 };

	if (except == NULL)
		return;
	for (const char *at = except; *at != '\0'; at++)
		text_format(&pattern, "%s%c",
			    strpbrk(except, "*?[") != NULL && strchr("*?[\\", *at) != NULL ? "\\"
											   : "",
			    *at);
	words_format(argv, "--exclude=%s", text_string(&pattern));
}

int rsync_copy(const struct rsync_job *job, struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	CLEANUP(memory_release) char *program = process_own_path();
	CLEANUP(descriptor_close) int client = connection_client(job->connection, err);
	CLEANUP(rsync_output_release) struct rsync_output output = RSYNC_OUTPUT_NONE;
	CLEANUP(descriptor_close) int writing = rsync_output_open(&output, job->progress, err);
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	CLEANUP(text_release) struct text reason = { 0 };
	struct process_options options = {
		PROCESS_DEFAULTS,
		.keep = &client,
		.keep_count = 1,
	};
	int status;

	if (client < 0 || writing < 0)
		return -1;
	words_add(&argv, "rsync");
	words_add_all(&argv, job->images ? image_options : file_options);
	/* File names travel in the protocol: no shell on the way ever sees them. */
	words_add(&argv, "--protect-args");
	words_add(&argv, "-e");
	words_format(&argv, "'%s' --pipe %d%s", program, client, job->sudo ? ",sudo" : "");
	add_exception(&argv, job->except);
	words_add_all(&argv, rsync_output_options);
	if (job->bandwidth_limit > 0)
		words_format(&argv, "--bwlimit=%" PRIu64, job->bandwidth_limit / RSYNC_RATE_UNIT);
	if (job->extra != NULL)
		words_extend(&argv, job->extra);
	words_add(&argv, "--");
	words_format(&argv, "%s/", job->source);
	/* The pipe mode knows where to; the name only makes the target a remote one. */
	words_format(&argv, "destination:%s/", job->target);
	options.output = writing;
	options.argv = (const char *const *)argv.items;
	if (process_start(&process, &options, err) < 0)
		return -1;
	/* With the last copy of it, rsync's, ends the command on the other side. */
	descriptor_close(&client);
	descriptor_close(&writing);
	status = process_wait(&process, -1, err);
	rsync_output_close(&output);
	*job->sent += output.sent;
	if (status < 0)
		return -1;
	if (status == 0 ||
	    (job->changing && (status == RSYNC_VANISHED ||
			       (status == RSYNC_PARTIAL && only_shrank(&process.errors)))))
		return 0;
	find_reason(text_string(&process.errors), &reason);
	return error_exit(err, EXIT_COPY, "rsync of '%s' to %s:'%s' failed with status %d: %s",
			  job->source, job->connection->host, job->target, status,
			  text_string(&reason));
}
