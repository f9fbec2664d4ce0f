// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for doing what the frames of an image stream say, and for not believing them. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/wait.h"
#include "system/image_answers.h"
#include "system/image_pack.h"
#include "system/image_store.h"
#include "system/image_stream.h"

/* criu's container reads them from inside its user namespace; the directory keeps others out. */
#define IMAGE_MODE 0644
/* How often it is looked whether anybody still wants the images. */
#define LOOK_INTERVAL_MS 1000

struct receiving {
	const char *path;
	int directory;
	int input;
	int file; /* the current one; -1 */
	char name[IMAGE_NAME_MAX + 1];
	struct image_store store;
	struct image_answers answers;
	uint64_t sum;
	uint64_t complete; /* sizes that have come */
	unsigned char *buffer;
	struct image_unpacker *unpacker; /* NULL before anything was packed */
};

static void receiving_release(struct receiving *receiving)
{
	descriptor_close(&receiving->directory);
	descriptor_close(&receiving->file);
	image_store_release(&receiving->store);
	image_answers_release(&receiving->answers);
	free(receiving->buffer);
	image_unpacker_free(&receiving->unpacker);
}

/* Whoever took everything back here has unmounted the directory: the source is lost, though its connection
 * may not yet be known to be. */
static bool is_wanted(const struct receiving *receiving)
{
	return file_is_named(receiving->directory, receiving->path);
}

static int wait_for_bytes(struct receiving *receiving, struct error *err)
{
	for (;;) {
		int count = image_answers_wait(&receiving->answers, receiving->input,
					       LOOK_INTERVAL_MS, err);

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
	char *name = receiving->name;

	if (image_name_take(name, receiving->buffer, length, err) < 0)
		return -1;
	descriptor_close(&receiving->file);
	receiving->file = openat(receiving->directory, name,
				 O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, IMAGE_MODE);
	return receiving->file < 0 ? error_system(err, "cannot make the image '%s'", name) : 0;
}

static int write_packed(struct receiving *receiving, const struct image_frame *frame,
			struct error *err)
{
	const unsigned char *bytes;
	size_t length;

	if (receiving->unpacker == NULL && (receiving->unpacker = image_unpacker_new(err)) == NULL)
		return -1;
	if (image_unpack(receiving->unpacker, receiving->buffer, frame->length, &bytes, &length,
			 err) < 0)
		return error_context(err, "the images' stream is damaged");
	return image_store_write(receiving->file, bytes, length, frame->number, err);
}

/* A hole: it takes no memory. */
static int write_zeros(struct receiving *receiving, const struct image_frame *frame,
		       uint64_t *length, struct error *err)
{
	if (frame->length != sizeof(*length))
		return error_set(err, "the images' stream has zeros without a length");
	memcpy(length, receiving->buffer, sizeof(*length));
	*length = le64toh(*length);
	if (*length == 0 || *length > IMAGE_SIZE_MAX)
		return error_set(err, "the images' stream has %llu bytes of zeros",
				 (unsigned long long)*length);
	if (fallocate(receiving->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)frame->number, (off_t)*length) < 0)
		return error_system(err, "cannot write zeros into an image");
	return 0;
}

/* What of an older state may have come is no longer what there is. */
static int note_missing(struct receiving *receiving, const struct image_frame *frame,
			struct error *err)
{
	CLEANUP(memory_release)
	char *name = memory_format("%s%s", receiving->name, IMAGE_MISSING_SUFFIX);
	CLEANUP(descriptor_close) int fd = -1;
	uint64_t range[2] = { frame->number };

	if (write_zeros(receiving, frame, &range[1], err) < 0)
		return -1;
	fd = openat(receiving->directory, name,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, IMAGE_MODE);
	if (fd < 0 || write(fd, range, sizeof(range)) != (ssize_t)sizeof(range))
		return error_system(err, "cannot note in '%s' what is missing", name);
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
		return error_set(err, "the images are not those that were sent: %llu of %llu sizes",
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
	uint64_t zeros;

	if (read_bytes(receiving, head, sizeof(head), err) < 0)
		return -1;
	image_frame_unpack(&frame, head);
	if (frame.length > IMAGE_DATA_MAX || frame.number > IMAGE_SIZE_MAX)
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
	if (frame.kind == IMAGE_READY)
		return image_answers_begin(&receiving->answers, receiving->directory, frame.number,
					   err);
	if (frame.kind == IMAGE_REACHED)
		return image_answers_add(&receiving->answers, frame.number, err);
	if (receiving->file < 0)
		return error_set(err, "the images' stream has data of no file");
	if (frame.kind == IMAGE_DATA)
		return image_store_write(receiving->file, receiving->buffer, frame.length,
					 frame.number, err);
	if (frame.kind == IMAGE_PACKED)
		return write_packed(receiving, &frame, err);
	if (frame.kind == IMAGE_SAME)
		return image_store_move(&receiving->store, receiving->buffer, frame.length,
					receiving->file, frame.number, err);
	if (frame.kind == IMAGE_ZERO)
		return write_zeros(receiving, &frame, &zeros, err);
	if (frame.kind == IMAGE_MISSING)
		return note_missing(receiving, &frame, err);
	if (frame.kind != IMAGE_SIZE)
		return error_set(err, "the images' stream has a frame of the kind %u", frame.kind);
	receiving->complete++;
	if (ftruncate(receiving->file, (off_t)frame.number) < 0)
		return error_system(err, "cannot set an image's size");
	return 0;
}

int image_receive(const struct image_target *target, int input, int output, struct error *err)
{
	CLEANUP(receiving_release)
	struct receiving receiving = {
		.path = target->directory,
		.directory =
			open(target->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
		.input = input,
		.file = -1,
		.store = IMAGE_STORE_NONE,
		.answers = IMAGE_ANSWERS_NONE,
		.buffer = memory_allocate(IMAGE_DATA_MAX, 1),
	};
	int outcome = 0;

	receiving.answers.output = output;
	if (receiving.directory < 0)
		return error_system(err, "cannot open '%s'", target->directory);
	if (target->store != NULL && image_store_open(&receiving.store, target->store, err) < 0)
		return -1;
	while (outcome == 0)
		outcome = receive_frame(&receiving, err);
	return outcome < 0 ? -1 : 0;
}
