// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the record of how a restored container gets its memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "system/memory_record.h"

/* A few lines, of which one may have a reason. */
#define RECORD_LIMIT 16384

/* More than all that is ever said in a record. */
#define ROOM 8192

static const char *const names[] = {
	[MEMORY_NONE] = "none",		[MEMORY_WORKING] = "working", [MEMORY_FILLED] = "filled",
	[MEMORY_GIVEN_UP] = "given-up", [MEMORY_FAILING] = "failing", [MEMORY_FAILED] = "failed",
};

int memory_record_make(const char *path, struct error *err)
{
	CLEANUP(descriptor_close)
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_system(err, "cannot make '%s'", path);
	/* What is to be said in it later needs no room that may be gone by then. */
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, ROOM) < 0 && errno != EOPNOTSUPP)
		return error_system(err, "there is no room for '%s'", path);
	return descriptor_steal(&fd);
}

void memory_record_add(int fd, const struct memory_record *record)
{
	CLEANUP(json_release) json_object *line = json_object_new_object();
	CLEANUP(text_release) struct text text = { 0 };
	ssize_t ignored;

	json_add_text(line, "state", names[record->state]);
	if (record->reason.text[0] != '\0')
		json_add_text(line, "reason", record->reason.text);
	if (record->state == MEMORY_FILLED) {
		json_add_number(line, "bytes", (int64_t)record->filled.count.bytes);
		json_add_number(line, "faults", (int64_t)record->filled.count.faults);
		json_add_number(line, "milliseconds", record->filled.milliseconds);
	}
	text_format(&text, "%s\n", json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
	ignored = write(fd, text_string(&text), text.length);
	(void)ignored;
}

/* A number that is there; 0 otherwise. */
static int64_t find_number(json_object *line, const char *name)
{
	struct error ignored;
	int64_t number;

	return json_get_number(line, name, 0, INT64_MAX, &number, &ignored) == 0 ? number : 0;
}

static void take_line(struct memory_record *record, const char *text)
{
	CLEANUP(json_release) json_object *line = json_tokener_parse(text);
	const char *state = json_find_text(line, "state");
	const char *reason = json_find_text(line, "reason");

	for (size_t i = 0; state != NULL && i < COUNT_OF(names); i++)
		if (strcmp(names[i], state) == 0)
			record->state = (enum memory_state)i;
	if (reason != NULL)
		error_set(&record->reason, "%s", reason);
	if (record->state == MEMORY_FILLED)
		record->filled = (struct memory_filled){
			.count.bytes = (uint64_t)find_number(line, "bytes"),
			.count.faults = (uint64_t)find_number(line, "faults"),
			.milliseconds = find_number(line, "milliseconds"),
		};
}

void memory_record_look(int fd, struct memory_record *record)
{
	char content[RECORD_LIMIT + 1];
	ssize_t length = pread(fd, content, RECORD_LIMIT, 0);
	char *rest = content;

	*record = (struct memory_record){ .state = MEMORY_WORKING };
	content[length > 0 ? length : 0] = '\0';
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0')
			take_line(record, line);
}

int memory_record_read(const char *path, struct memory_record *record, struct error *err)
{
	CLEANUP(descriptor_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool at_work;

	*record = (struct memory_record){ 0 };
	if (fd < 0)
		return errno == ENOENT ? 0 : error_system(err, "cannot open '%s'", path);
	/* Asked first: who is not there any more has written all that it will. */
	at_work = flock(fd, LOCK_SH | LOCK_NB) < 0;
	memory_record_look(fd, record);
	if (at_work || record->state == MEMORY_FILLED || record->state == MEMORY_GIVEN_UP)
		return 0;
	record->state = MEMORY_FAILED;
	if (record->reason.text[0] == '\0')
		error_set(&record->reason, "those who had to bring it were killed; what it has is "
					   "not to be trusted");
	return 0;
}
