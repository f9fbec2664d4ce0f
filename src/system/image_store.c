// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for writing the bytes of images, and for taking out of the store what is here already. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/image_store.h"

int image_store_open(struct image_store *store, const char *directory, struct error *err)
{
	store->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return store->directory < 0 ? error_system(err, "cannot open '%s'", directory) : 0;
}

void image_store_release(struct image_store *store)
{
	descriptor_close(&store->directory);
	descriptor_close(&store->file);
}

static int open_file(struct image_store *store, const unsigned char *bytes, size_t length,
		     struct error *err)
{
	char name[IMAGE_NAME_MAX + 1];
	struct stat status;

	if (image_name_take(name, bytes, length, err) < 0)
		return -1;
	if (store->file >= 0 && strcmp(store->name, name) == 0)
		return 0;
	descriptor_close(&store->file);
	memcpy(store->name, name, sizeof(name));
	store->file = openat(store->directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (store->file < 0 || fstat(store->file, &status) < 0)
		return error_system(err, "cannot open what came as '%s'", name);
	return S_ISREG(status.st_mode) ? 0 : error_set(err, "what came as '%s' is no file", name);
}

static int read_all(const struct image_store *store, unsigned char *bytes, uint64_t length,
		    uint64_t from, struct error *err)
{
	for (uint64_t done = 0; done < length;) {
		ssize_t got = pread(store->file, bytes + done, length - done, (off_t)(from + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_system(err, "cannot read what came as '%s'", store->name);
		if (got == 0)
			return error_set(err,
					 "what came as '%s' ends at %llu, before what is "
					 "wanted of it",
					 store->name, (unsigned long long)(from + done));
		done += (uint64_t)got;
	}
	return 0;
}

int image_store_write(int into, const unsigned char *bytes, size_t length, uint64_t at,
		      struct error *err)
{
	for (size_t done = 0; done < length;) {
		ssize_t written = pwrite(into, bytes + done, length - done, (off_t)(at + done));

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_system(err, "cannot write an image");
		done += (size_t)written;
	}
	return 0;
}

int image_store_move(struct image_store *store, unsigned char *bytes, size_t length, int into,
		     uint64_t at, struct error *err)
{
	uint64_t range[2];
	uint64_t from;
	uint64_t count;

	if (store->directory < 0)
		return error_set(err,
				 "the images' stream has something of a store, and there is none");
	if (length < sizeof(range))
		return error_set(err, "the images' stream does not say what is the same");
	memcpy(range, bytes, sizeof(range));
	from = le64toh(range[0]);
	count = le64toh(range[1]);
	if (count == 0 || count > IMAGE_DATA_MAX || from > IMAGE_SIZE_MAX)
		return error_set(err, "the images' stream has %llu bytes that are the same at %llu",
				 (unsigned long long)count, (unsigned long long)from);
	if (open_file(store, bytes + sizeof(range), length - sizeof(range), err) < 0 ||
	    read_all(store, bytes, count, from, err) < 0 ||
	    image_store_write(into, bytes, count, at, err) < 0)
		return -1;
	/* No page is here twice for long. */
	if (fallocate(store->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
		      (off_t)count) < 0)
		return error_system(err, "cannot free what came as '%s'", store->name);
	return 0;
}
