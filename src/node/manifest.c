// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for telling a complete set of images from another. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "node/manifest.h"

json_object *manifest_make(const char *directory, struct error *err)
{
	json_object *manifest = json_object_new_object();
	DIR *files = opendir(directory);
	struct dirent *entry;

	if (files == NULL) {
		error_system(err, "cannot read the images in '%s'", directory);
		json_object_put(manifest);
		return NULL;
	}
	while ((entry = readdir(files)) != NULL) {
		struct stat file;

		if (fstatat(dirfd(files), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(file.st_mode) && !text_ends_with(entry->d_name, ".log"))
			json_add_number(manifest, entry->d_name, file.st_size);
	}
	closedir(files);
	return manifest;
}

/* Every file of the one is in the other with the same size. */
static int compare(json_object *manifest, json_object *other, const char *what, struct error *err)
{
	json_object_object_foreach (manifest, name, size) {
		json_object *found = NULL;

		if (!json_object_object_get_ex(other, name, &found) ||
		    json_object_get_int64(found) != json_object_get_int64(size))
			return error_exit(
				err, EXIT_COPY,
				"the images are not those that were dumped: '%.100s' of %" PRId64
				" bytes %s",
				name, json_object_get_int64(size), what);
	}
	return 0;
}

int manifest_check(const char *directory, json_object *manifest, struct error *err)
{
	CLEANUP(json_release) json_object *here = manifest_make(directory, err);

	if (here == NULL || compare(manifest, here, "did not arrive whole", err) < 0)
		return -1;
	return compare(here, manifest, "was not sent", err);
}
