// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading criu's images while they are written, and for sending them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/image_piece.h"
#include "system/image_stream.h"
#include "system/page_scan.h"
#include "system/image_writer.h"

/* How soon what criu appends to a file is seen. */
#define FOLLOW_INTERVAL_MS 2

/* A file whose beginning has been sent. */
struct followed {
	char *name;
	int fd;
	off_t sent;
	bool complete;
};

struct sending {
	const char *directory;
	struct content_index *index;
	struct image_writer writer;
	struct followed *files;
	size_t count;
	const struct followed *current; /* what the receiver takes data to be of */
	unsigned char *buffer;
};

static void sending_release(struct sending *sending)
{
	for (size_t i = 0; i < sending->count; i++) {
		descriptor_close(&sending->files[i].fd);
		free(sending->files[i].name);
	}
	free(sending->files);
	free(sending->buffer);
	image_writer_release(&sending->writer);
}

/*
 * Sends what has been appended since; before the end only whole pages. Returns 1 when there was something.
 * What is sent needs no memory any more.
 */
static int send_appended(struct sending *sending, struct followed *file, bool to_the_end,
			 struct error *err)
{
	int progress = 0;

	for (;;) {
		ssize_t length = pread(file->fd, sending->buffer, IMAGE_DATA_MAX, file->sent);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return error_system(err, "cannot read the image '%s'", file->name);
		if (!to_the_end)
			length -= length % (ssize_t)page_size();
		if (length == 0)
			return progress;
		if (sending->current != file &&
		    image_write(&sending->writer, IMAGE_FILE, 0, file->name, strlen(file->name),
				err) < 0)
			return -1;
		sending->current = file;
		if (image_piece_send(&sending->writer, sending->index, (uint64_t)file->sent,
				     sending->buffer, (size_t)length, err) < 0)
			return -1;
		fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, file->sent, length);
		file->sent += length;
		progress = 1;
	}
}

static int add_file(struct sending *sending, const char *name, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/%s", sending->directory, name);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return error_system(err, "cannot open the image '%s'", path);
	sending->current = NULL;
	sending->files = memory_resize(sending->files, sending->count + 1, sizeof(struct followed));
	sending->files[sending->count++] =
		(struct followed){ .name = memory_duplicate(name), .fd = fd };
	return 0;
}

static bool is_known(const struct sending *sending, const char *name)
{
	for (size_t i = 0; i < sending->count; i++)
		if (strcmp(sending->files[i].name, name) == 0)
			return true;
	return false;
}

/* Memory is appended to its files, in order. Other images may be changed or removed again: they are sent
 * when all are complete, and they are small. */
static bool is_wanted(const char *name, bool all)
{
	if (all)
		return name[0] != '.' && !text_ends_with(name, ".log");
	return text_starts_with(name, "pages-");
}

static int find_files(struct sending *sending, bool all, struct error *err)
{
	DIR *directory = opendir(sending->directory);
	struct dirent *entry;
	int result = 0;

	if (directory == NULL)
		return error_system(err, "cannot read the images in '%s'", sending->directory);
	while (result == 0 && (entry = readdir(directory)) != NULL)
		if (entry->d_type == DT_REG && is_wanted(entry->d_name, all) &&
		    !is_known(sending, entry->d_name))
			result = add_file(sending, entry->d_name, err);
	closedir(directory);
	return result;
}

/* Returns 1 when there was something to send. */
static int send_all_appended(struct sending *sending, struct error *err)
{
	int progress = 0;

	for (size_t i = 0; i < sending->count; i++) {
		int outcome = send_appended(sending, &sending->files[i], false, err);

		if (outcome < 0)
			return -1;
		progress |= outcome;
	}
	return progress;
}

/* Until the other end of `control` is closed. */
static int follow(struct sending *sending, int control, struct error *err)
{
	CLEANUP(descriptor_close) int notices = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char unread[4096];

	if (notices < 0 || inotify_add_watch(notices, sending->directory, IN_CREATE) < 0)
		return error_system(err, "cannot watch '%s'", sending->directory);
	for (;;) {
		struct pollfd ready[2] = { { control, POLLIN, 0 }, { notices, POLLIN, 0 } };
		int progress = send_all_appended(sending, err);
		int timeout_ms = progress > 0 ? 0 : sending->count > 0 ? FOLLOW_INTERVAL_MS : -1;

		if (progress == 0)
			image_writer_pause(&sending->writer);
		if (progress < 0 || wait_for(ready, 2, timeout_ms, err) < 0)
			return -1;
		if (ready[0].revents != 0)
			return 0;
		if (ready[1].revents == 0)
			continue;
		while (read(notices, unread, sizeof(unread)) > 0)
			;
		if (find_files(sending, false, err) < 0)
			return -1;
	}
}

static int send_rest(struct sending *sending, struct error *err)
{
	if (find_files(sending, true, err) < 0)
		return -1;
	for (size_t i = 0; i < sending->count; i++) {
		struct followed *file = &sending->files[i];

		if (image_write(&sending->writer, IMAGE_FILE, 0, file->name, strlen(file->name),
				err) < 0)
			return -1;
		sending->current = file;
		if (send_appended(sending, file, true, err) < 0 ||
		    image_write(&sending->writer, IMAGE_SIZE, (uint64_t)file->sent, NULL, 0, err) <
			    0)
			return -1;
	}
	return image_write_end(&sending->writer, err);
}

int image_send(void *data, int control, int output, bool packs, struct image_traffic *traffic,
	       struct error *err)
{
	const struct image_source *source = data;
	CLEANUP(sending_release)
	struct sending sending = {
		.directory = source->directory,
		.index = source->index,
		.writer = { .output = output, .choice = { .allowed = packs } },
		.buffer = memory_allocate(IMAGE_DATA_MAX, 1),
	};

	if (follow(&sending, control, err) < 0 || send_rest(&sending, err) < 0)
		return -1;
	*traffic = sending.writer.traffic;
	return 0;
}
