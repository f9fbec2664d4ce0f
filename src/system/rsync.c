// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for rsync's command line and for what its exit status means. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/wait.h"
#include "system/rsync.h"

/* rsync(1), EXIT VALUES */
#define RSYNC_PROTOCOL 2
#define RSYNC_PARTIAL 23
#define RSYNC_VANISHED 24

/* --bwlimit: what a number without a suffix counts */
#define RSYNC_RATE_UNIT 1024

/* Of what it prints on standard error: a line for each file that vanished, say. */
#define ERRORS_LIMIT (4 << 20)

/* Everything is kept: owners by number, ACLs, attributes, hard links, holes, and times to the
 * nanosecond: by whole seconds, a file changed twice in one second would not be sent again. */
#define KEEPING "-aHAXS", "--numeric-ids", "--modify-window=-1"
#define LIST "--files-from=-", "--from0"

static const char *const options_of[][9] = {
	[RSYNC_ALL] = { KEEPING, "--delete" },
	[RSYNC_LISTED] = { KEEPING, "--delete", "--delete-missing-args", "--force", LIST },
	[RSYNC_COMPARED] = { KEEPING, "--checksum", LIST },
};

/* Of the admin's options, those that say how bytes travel and not which. */
static const char *const list_options[] = {
	"-z",	  "-v",	     "-h",	   "--compress",      "--zc",	  "--zl", "--bwlimit",
	"--info", "--stats", "--progress", "--skip-compress", "--verbose"
};

/* What is said of a path whose file shrank while it was read, or that became another one. */
static bool is_passing(const char *line)
{
	static const char *const beginnings[] = {
		"rsync: [sender] read errors mapping",
		"rsync error:",
		"rsync warning:",
		"WARNING:",
		"file has vanished:",
		"directory has vanished:",
		"IO error encountered -- skipping file deletion"
	};
	static const char *const ends[] = { ": No such file or directory (2)",
					    ": Not a directory (20)", ": Is a directory (21)",
					    ": Too many levels of symbolic links (40)" };

	for (size_t i = 0; i < COUNT_OF(beginnings); i++)
		if (text_starts_with(line, beginnings[i]))
			return true;
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (text_starts_with(line, "rsync: [sender] ") && text_ends_with(line, ends[i]))
			return true;
	return *line == '\0';
}

/*
 * Such a file makes rsync end with "partial transfer", as any file that cannot be transferred does; only
 * its words tell the two apart.
 */
static bool only_changed(const struct text *errors)
{
	CLEANUP(memory_release) char *copy = memory_duplicate(text_string(errors));
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (!is_passing(line))
			return false;
	/* The end was not kept: something else may be there. */
	return errors->length < ERRORS_LIMIT;
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

static bool has_list(const struct rsync_job *job)
{
	return job->kind == RSYNC_LISTED || job->kind == RSYNC_COMPARED;
}

static void make_command(const struct rsync_job *job, int client, struct words *argv)
{
	CLEANUP(memory_release) char *program = process_own_path();

	words_add(argv, "rsync");
	words_add_all(argv, options_of[job->kind]);
	/* Names of one file that come and go while rsync reads ahead make it wait for ever. */
	if (job->changing)
		words_add(argv, "--no-inc-recursive");
	/* File names travel in the protocol: no shell on the way ever sees them. */
	words_add(argv, "--protect-args");
	words_add(argv, "-e");
	words_format(argv, "'%s' --pipe %d%s", program, client, job->sudo ? ",sudo" : "");
	add_exception(argv, job->except);
	words_add_all(argv, rsync_output_options);
	if (job->bandwidth_limit > 0)
		words_format(argv, "--bwlimit=%" PRIu64, job->bandwidth_limit / RSYNC_RATE_UNIT);
	if (job->extra != NULL)
		words_extend(argv, job->extra);
	words_add(argv, "--");
	words_format(argv, "%s/", job->source);
	/* The pipe mode knows where to; the name only makes the target a remote one. */
	words_format(argv, "destination:%s/", job->target);
}

static int make_list(struct rsync_run *run, int *reading, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, "cannot make a pipe");
	*reading = ends[0];
	run->list = ends[1];
	fcntl(run->list, F_SETFL, O_NONBLOCK);
	return 0;
}

int rsync_start(struct rsync_run *run, const struct rsync_job *job, struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	CLEANUP(descriptor_close) int client = connection_client(job->connection, err);
	CLEANUP(descriptor_close) int writing = -1;
	CLEANUP(descriptor_close) int reading = -1;
	struct process_options options = {
		PROCESS_DEFAULTS,
		.keep = &client,
		.keep_count = 1,
	};

	*run = (struct rsync_run)RSYNC_RUN_NONE;
	run->job = *job;
	run->errors = memfd_create("rsync", MFD_CLOEXEC);
	if (run->errors < 0)
		return error_system(err, "cannot keep what rsync says");
	if (client < 0 || (has_list(job) && make_list(run, &reading, err) < 0))
		return -1;
	writing = rsync_output_open(&run->output, job->progress, err);
	if (writing < 0)
		return -1;
	make_command(job, client, &argv);
	options.input = reading;
	options.output = writing;
	options.errors = run->errors;
	options.argv = (const char *const *)argv.items;
	/* With the last copy of `client`, rsync's, ends the command on the other side. */
	return process_start(&run->process, &options, err);
}

bool rsync_is_ready(const struct rsync_run *run)
{
	return run->process.pid != 0;
}

/* An rsync that has ended reads no more: its status tells why. */
static int send_list(struct rsync_run *run, const struct text *list, struct error *err)
{
	size_t sent = 0;

	while (sent < list->length) {
		struct pollfd ready[2] = { { run->list, POLLOUT, 0 },
					   { run->process.pidfd, POLLIN, 0 } };
		ssize_t count;

		if (wait_for(ready, 2, -1, err) < 0)
			return -1;
		count = write(run->list, list->bytes + sent, list->length - sent);
		if (count < 0 && errno == EPIPE)
			break;
		if (count < 0 && errno != EAGAIN && errno != EINTR)
			return error_system(err, "cannot give rsync its list");
		sent += count > 0 ? (size_t)count : 0;
	}
	descriptor_close(&run->list);
	return 0;
}

static void read_errors(const struct rsync_run *run, struct text *errors)
{
	char bytes[16384];
	ssize_t count;

	while (errors->length < ERRORS_LIMIT &&
	       (count = pread(run->errors, bytes, sizeof(bytes), (off_t)errors->length)) > 0)
		text_append(errors, bytes, (size_t)count);
}

/* What a list names became something else; or its two ends do not agree in the end, because names of one
 * file came and went meanwhile. */
static bool lost_its_way(const struct rsync_job *job, int status)
{
	return job->changing &&
	       (status == RSYNC_PROTOCOL || (status == RSYNC_PARTIAL && has_list(job)));
}

/* The other end has no time to clean up when this one leaves it; a pass over everything that deletes what
 * is too much does, and one that could not read something deletes nothing. */
static void note_remains(const struct rsync_job *job, int status)
{
	if (job->kind == RSYNC_ALL && (status == 0 || status == RSYNC_VANISHED))
		*job->remains = false;
	else if (status == RSYNC_PROTOCOL)
		*job->remains = true;
}

int rsync_finish(struct rsync_run *run, const struct text *list, struct error *err)
{
	CLEANUP(text_release) struct text reason = { 0 };
	CLEANUP(text_release) struct text errors = { 0 };
	const struct rsync_job *job = &run->job;
	int status;

	if (list != NULL && send_list(run, list, err) < 0)
		return -1;
	status = process_wait(&run->process, -1, err);
	rsync_output_close(&run->output);
	*job->sent += run->output.sent;
	if (status < 0)
		return -1;
	note_remains(job, status);
	if (status == 0 || (job->changing && status == RSYNC_VANISHED))
		return 0;
	read_errors(run, &errors);
	if (job->changing && status == RSYNC_PARTIAL && only_changed(&errors))
		return 0;
	find_reason(text_string(&errors), &reason);
	if (lost_its_way(job, status)) {
		log_debug("rsync must be run again: %s", text_string(&reason));
		return 1;
	}
	return error_exit(err, EXIT_COPY, "rsync of '%s' to %s:'%s' failed with status %d: %s",
			  job->source, job->connection->host, job->target, status,
			  text_string(&reason));
}

void rsync_release(struct rsync_run *run)
{
	/* Before its list ends: for an empty one, too, its other end makes the target, which may be in its final
	 * place by now, anew. */
	process_release(&run->process);
	descriptor_close(&run->list);
	descriptor_close(&run->errors);
	rsync_output_release(&run->output);
	*run = (struct rsync_run)RSYNC_RUN_NONE;
}

int rsync_copy(const struct rsync_job *job, struct error *err)
{
	CLEANUP(rsync_release) struct rsync_run run = RSYNC_RUN_NONE;

	if (rsync_start(&run, job, err) < 0)
		return -1;
	return rsync_finish(&run, NULL, err);
}

const char *rsync_refuses_list(const struct words *extra)
{
	for (size_t i = 0; i < extra->count; i++) {
		const char *option = extra->items[i];
		size_t length = strcspn(option, "=");
		bool known = false;

		for (size_t k = 0; k < COUNT_OF(list_options); k++)
			known = known || (strncmp(option, list_options[k], length) == 0 &&
					  list_options[k][length] == '\0');
		if (!known)
			return option;
	}
	return NULL;
}
