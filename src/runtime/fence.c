// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the name that a fenced container's configuration has. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "runtime/fence.h"

#define SUFFIX ".fenced-by-vzmigrate"

static int rename_file(const char *directory, const char *from, const char *to, struct error *err)
{
	if (!file_exists(from))
		return file_sync_directory(directory, err);
	return file_rename(from, to, err);
}

char *fence_path(const char *directory, const char *name)
{
	CLEANUP(memory_release) char *open = memory_format("%s/%s", directory, name);
	CLEANUP(memory_release) char *fenced = memory_format("%s" SUFFIX, open);

	if (file_exists(open))
		return memory_steal(&open);
	return file_exists(fenced) ? memory_steal(&fenced) : NULL;
}

bool fence_is_up(const char *path)
{
	return text_ends_with(path, SUFFIX);
}

int fence_raise(const char *directory, const char *name, struct error *err)
{
	CLEANUP(memory_release) char *open = memory_format("%s/%s", directory, name);
	CLEANUP(memory_release) char *fenced = memory_format("%s" SUFFIX, open);

	if (!file_exists(open) && !file_exists(fenced))
		return error_set(err, "there is no '%s' to fence", open);
	return rename_file(directory, open, fenced, err);
}

int fence_lower(const char *directory, const char *name, struct error *err)
{
	CLEANUP(memory_release) char *open = memory_format("%s/%s", directory, name);
	CLEANUP(memory_release) char *fenced = memory_format("%s" SUFFIX, open);

	return file_exists(directory) ? rename_file(directory, fenced, open, err) : 0;
}
