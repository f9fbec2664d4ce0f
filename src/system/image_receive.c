// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for writing the images of a stream, and for not believing what it says. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/image_stream.h"

/* criu's container reads them from inside its user namespace; the directory keeps others out. */
#define IMAGE_MODE 0644
/* Far above any image's size: what a number of the stream may not exceed. */
#define SIZE_MAX_ACCEPTED ((uint64_t)1 << 50)

/* How often it is looked whether anybody still wants the images. */
#define LOOK_INTERVAL_MS 1000

struct receiving {
	const char *path;
	int directory;
	int input;
	int file; /* the current one; -1 */
	uint64_t sum;
	uint64_t complete; /* files of which the size has come */
	unsigned char *buffer;
};

static void receiving_release(struct receiving *receiving)
{
	descriptor_close(&receiving->directory);
	descriptor_close(&receiving->file);
	free(receiving->buffer);
}

/* Whoever took everything back here has unmounted the directory: the source is lost, though its connection
 * may not yet be known to be. */
static bool is_wanted(const struct receiving *receiving)
{
	struct stat ours;
	struct stat there;

	return fstat(receiving->directory, &ours) == 0 && stat(receiving->path, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static int wait_for_bytes(const struct receiving *receiving, struct error *err)
{
	for (;;) {
		struct pollfd ready = { receiving->input, POLLIN, 0 };
		int count = wait_for(&ready, 1, LOOK_INTERVAL_MS, err);

		if (count != 0)
			return count < 0 ? -1 : 0;
		if (!is_wanted(receiving))
			return error_set(err, "'%s' is not there any more", receiving->path);
	}
}

static int read_bytes(struct receiving *receiving, void *bytes, size_t length, struct error *err)
{
	char *at = bytes;

	while (length > 0) {
		ssize_t got;

		if (wait_for_bytes(receiving, err) < 0)
			return -1;
		got = read(receiving->input, at, length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_system(err, "cannot read the images' stream");
		if (got == 0)
			return error_set(err, "the images' stream ended early");
		at += got;
		length -= (size_t)got;
	}
	return 0;
}

static int open_file(struct receiving *receiving, size_t length, struct error *err)
{
	char name[IMAGE_NAME_MAX + 1];

	if (length == 0 || length > IMAGE_NAME_MAX)
		return error_set(err, "the images' stream has a name of %zu bytes", length);
	memcpy(name, receiving->buffer, length);
	name[length] = '\0';
	if (strlen(name) != length || name[0] == '.' || strchr(name, '/') != NULL)
		return error_set(err, "the images' stream has a name that is none of criu's");
	descriptor_close(&receiving->file);
	receiving->file = openat(receiving->directory, name,
				 O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, IMAGE_MODE);
	return receiving->file < 0 ? error_system(err, "cannot make the image '%s'", name) : 0;
}

static int write_data(struct receiving *receiving, const struct image_frame *frame,
		      struct error *err)
{
	size_t done = 0;

	while (done < frame->length) {
		ssize_t written = pwrite(receiving->file, receiving->buffer + done,
					 frame->length - done, (off_t)(frame->number + done));

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_system(err, "cannot write an image");
		done += (size_t)written;
	}
	return 0;
}

/* What the sender counted and summed up, before this frame. */
static int check_end(struct receiving *receiving, const struct image_frame *frame, uint64_t sum,
		     struct error *err)
{
	uint64_t theirs;

	if (frame->length != sizeof(theirs))
		return error_set(err, "the images' stream has a bad end");
	memcpy(&theirs, receiving->buffer, sizeof(theirs));
	if (frame->number != receiving->complete || le64toh(theirs) != sum)
		return error_set(err, "the images are not those that were sent: %llu of %llu files",
				 (unsigned long long)receiving->complete,
				 (unsigned long long)frame->number);
	return 0;
}

/* Returns 1 after the last one. */
static int receive_frame(struct receiving *receiving, struct error *err)
{
	unsigned char head[IMAGE_FRAME_SIZE];
	uint64_t before = receiving->sum;
	struct image_frame frame;

	if (read_bytes(receiving, head, sizeof(head), err) < 0)
		return -1;
	image_frame_unpack(&frame, head);
	if (frame.length > IMAGE_DATA_MAX || frame.number > SIZE_MAX_ACCEPTED)
		return error_set(err, "the images' stream has a frame of %u bytes at %llu",
				 frame.length, (unsigned long long)frame.number);
	if (read_bytes(receiving, receiving->buffer, frame.length, err) < 0)
		return -1;
	receiving->sum = image_checksum(receiving->sum, head, sizeof(head));
	receiving->sum = image_checksum(receiving->sum, receiving->buffer, frame.length);
	if (frame.kind == IMAGE_FILE)
		return open_file(receiving, frame.length, err);
	if (frame.kind == IMAGE_END)
		return check_end(receiving, &frame, before, err) < 0 ? -1 : 1;
	if (receiving->file < 0)
		return error_set(err, "the images' stream has data of no file");
	if (frame.kind == IMAGE_DATA)
		return write_data(receiving, &frame, err);
	if (frame.kind != IMAGE_SIZE)
		return error_set(err, "the images' stream has a frame of the kind %u", frame.kind);
	receiving->complete++;
	if (ftruncate(receiving->file, (off_t)frame.number) < 0)
		return error_system(err, "cannot set an image's size");
	return 0;
}

int image_receive(const char *directory, int input, struct error *err)
{
	CLEANUP(receiving_release)
	struct receiving receiving = {
		.path = directory,
		.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
		.input = input,
		.file = -1,
		.buffer = memory_allocate(IMAGE_DATA_MAX, 1),
	};
	int outcome = 0;

	if (receiving.directory < 0)
		return error_system(err, "cannot open '%s'", directory);
	while (outcome == 0)
		outcome = receive_frame(&receiving, err);
	return outcome < 0 ? -1 : 0;
}
