// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the journal file: its lines, their order, and that they are on the disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "node/journal.h"
#include "runtime/container.h"

/* More than any migration writes; a longer file is not ours. */
#define JOURNAL_LIMIT (8 << 20)

#define SUFFIX ".journal"

static const char *const state_names[] = {
	[JOURNAL_ABSENT] = "none",	   [JOURNAL_BEGUN] = "begun",
	[JOURNAL_FROZEN] = "frozen",	   [JOURNAL_HELD] = "held",
	[JOURNAL_COMMITTED] = "committed", [JOURNAL_TOLD] = "told",
	[JOURNAL_RUNNING] = "running",	   [JOURNAL_MOVED] = "moved",
	[JOURNAL_KEPT] = "kept",	   [JOURNAL_UNKNOWN] = "unknown",
};

const char *journal_state_name(enum journal_state state)
{
	return state_names[state];
}

char *journal_path(const char *id)
{
	CLEANUP(memory_release) char *key = container_key(id);

	return memory_format("%s/%s" SUFFIX, JOURNAL_DIRECTORY, key);
}

static void note_record(struct journal *journal, json_object *record)
{
	const char *state = json_find_text(record, "state");

	json_object_array_add(journal->records, record);
	if (journal->state == JOURNAL_ABSENT)
		journal->state = JOURNAL_BEGUN;
	for (size_t i = 0; state != NULL && i < COUNT_OF(state_names); i++)
		if (strcmp(state, state_names[i]) == 0)
			journal->state = (enum journal_state)i;
}

int journal_create(struct journal *journal, const char *id, json_object *header, struct error *err)
{
	if (file_make_directory(JOURNAL_DIRECTORY, 0700, err) < 0)
		return -1;
	*journal = (struct journal)JOURNAL_NONE;
	journal->path = journal_path(id);
	journal->records = json_object_new_array();
	journal->fd = open(journal->path,
			   O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0) {
		error_system(err, "cannot make the journal '%s'", journal->path);
		journal_release(journal);
		return -1;
	}
	if (file_sync_directory(JOURNAL_DIRECTORY, err) < 0)
		return -1;
	json_add_text(header, "record", "migration");
	return journal_append(journal, json_object_get(header), err);
}

/* Adds the complete lines of the text; returns how many bytes they are. */
static size_t parse_lines(struct journal *journal, const char *text)
{
	const char *at = text;
	const char *end;

	while ((end = strchr(at, '\n')) != NULL) {
		CLEANUP(memory_release) char *line = memory_format("%.*s", (int)(end - at), at);
		json_object *record = json_tokener_parse(line);

		if (!json_object_is_type(record, json_type_object)) {
			json_object_put(record);
			break;
		}
		note_record(journal, record);
		at = end + 1;
	}
	return (size_t)(at - text);
}

/* *complete and *length: how many bytes are whole lines, and how many there are. */
static int read_records(struct journal *journal, const char *id, size_t *complete, size_t *length,
			struct error *err)
{
	CLEANUP(memory_release) char *path = journal_path(id);
	CLEANUP(text_release) struct text content = { 0 };

	if (!file_exists(path))
		return 0;
	if (file_read(path, JOURNAL_LIMIT, &content, err) < 0)
		return -1;
	*journal = (struct journal)JOURNAL_NONE;
	journal->path = memory_steal(&path);
	journal->records = json_object_new_array();
	*complete = parse_lines(journal, text_string(&content));
	*length = content.length;
	if (json_object_array_length(journal->records) > 0)
		return 1;
	/* Made, and not one line of it written: nothing was begun. */
	journal_release(journal);
	return 0;
}

int journal_read(struct journal *journal, const char *id, struct error *err)
{
	size_t complete;
	size_t length;

	return read_records(journal, id, &complete, &length, err);
}

/* A file without a record would be in the way of the next migration. */
static int remove_empty(const char *id, struct error *err)
{
	CLEANUP(memory_release) char *path = journal_path(id);

	if (unlink(path) < 0 && errno != ENOENT)
		return error_system(err, "cannot remove the empty journal '%s'", path);
	return 0;
}

int journal_load(struct journal *journal, const char *id, struct error *err)
{
	size_t complete;
	size_t length;
	int found = read_records(journal, id, &complete, &length, err);

	if (found == 0)
		return remove_empty(id, err);
	if (found < 0)
		return -1;
	journal->fd = open(journal->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (journal->fd < 0 || (complete < length && ftruncate(journal->fd, (off_t)complete) < 0)) {
		error_system(err, "cannot open the journal '%s'", journal->path);
		journal_release(journal);
		return -1;
	}
	return 1;
}

int journal_append(struct journal *journal, json_object *record, struct error *err)
{
	CLEANUP(text_release) struct text line = { 0 };
	off_t end = lseek(journal->fd, 0, SEEK_END);
	ssize_t written;

	text_format(&line, "%s\n", json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN));
	written = write(journal->fd, line.bytes, line.length);
	if (written >= 0 && (size_t)written < line.length)
		errno = ENOSPC;
	if (written != (ssize_t)line.length || fdatasync(journal->fd) < 0) {
		error_system(err, "cannot write the journal '%s'", journal->path);
		/* Half a line would swallow the next one. */
		if (end < 0 || ftruncate(journal->fd, end) < 0)
			log_debug("the journal '%s' ends in half a line", journal->path);
		json_object_put(record);
		return -1;
	}
	note_record(journal, record);
	return 0;
}

int journal_set_state(struct journal *journal, enum journal_state state, struct error *err)
{
	json_object *record = json_object_new_object();

	json_add_text(record, "record", "state");
	json_add_text(record, "state", state_names[state]);
	return journal_append(journal, record, err);
}

json_object *journal_header(const struct journal *journal)
{
	return journal->records == NULL ? NULL : json_object_array_get_idx(journal->records, 0);
}

int journal_list(struct words *ids, struct error *err)
{
	DIR *directory = opendir(JOURNAL_DIRECTORY);
	struct dirent *entry;

	if (directory == NULL)
		return errno == ENOENT ? 0
				       : error_system(err, "cannot read '%s'", JOURNAL_DIRECTORY);
	while ((entry = readdir(directory)) != NULL)
		if (text_ends_with(entry->d_name, SUFFIX) && entry->d_name[0] != '.')
			words_format(ids, "%.*s", (int)(strlen(entry->d_name) - strlen(SUFFIX)),
				     entry->d_name);
	closedir(directory);
	return 0;
}

int journal_remove(struct journal *journal, struct error *err)
{
	if (journal->path == NULL)
		return 0;
	if (unlink(journal->path) < 0 && errno != ENOENT)
		return error_system(err, "cannot remove the journal '%s'", journal->path);
	journal_release(journal);
	return file_sync_directory(JOURNAL_DIRECTORY, err);
}

void journal_release(struct journal *journal)
{
	descriptor_close(&journal->fd);
	free(journal->path);
	json_object_put(journal->records);
	*journal = (struct journal)JOURNAL_NONE;
}
