// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the list of containers on the command line. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/requests.h"
#include "runtime/container.h"

static void release(struct migration_request *request)
{
	free(request->id);
	free(request->new_id);
	free(request->private_area);
	free(request->root);
	*request = (struct migration_request){ 0 };
}

static int check_path(const char *word, const char *what, const char *path, struct error *err)
{
	char shown[200];

	if (path == NULL || file_path_is_plain(path))
		return 0;
	text_printable(shown, sizeof(shown), path, strlen(path));
	return error_exit(err, EXIT_USAGE,
			  "the %s '%s' in '%.200s' is not an absolute path without '.' and '..'",
			  what, shown, word);
}

static int check_parts(const struct migration_request *request, const char *word, struct error *err)
{
	char shown[200];

	text_printable(shown, sizeof(shown), word, strlen(word));
	if (container_check_id(request->id, err) < 0 ||
	    (request->new_id != NULL && container_check_id(request->new_id, err) < 0) ||
	    check_path(shown, "private area", request->private_area, err) < 0 ||
	    check_path(shown, "root", request->root, err) < 0)
		return error_default(err, EXIT_USAGE);
	return 0;
}

/* Cuts the word at its colons. An empty part says "as on the source", but nothing ends with one. */
static int split(struct migration_request *request, const char *word, struct error *err)
{
	char **parts[] = { &request->id, &request->new_id, &request->private_area, &request->root };
	CLEANUP(memory_release) char *copy = memory_duplicate(word);
	char *rest = copy;
	char shown[200];

	text_printable(shown, sizeof(shown), word, strlen(word));
	for (size_t i = 0; rest != NULL; i++) {
		const char *part = strsep(&rest, ":");

		if (i >= COUNT_OF(parts))
			return error_exit(err, EXIT_USAGE,
					  "'%s' has more than the four parts "
					  "CTID:newCTID:private:root",
					  shown);
		if (i > 0 && *part == '\0' && rest == NULL)
			return error_exit(err, EXIT_USAGE, "nothing follows the last ':' in '%s'",
					  shown);
		if (i == 0 || *part != '\0')
			*parts[i] = memory_duplicate(part);
	}
	return check_parts(request, word, err);
}

int requests_add(struct options *options, const char *word, struct error *err)
{
	struct migration_request *request;

	options->requests = memory_resize(options->requests, options->request_count + 1,
					  sizeof(*options->requests));
	request = &options->requests[options->request_count++];
	*request = (struct migration_request){ 0 };
	if (options->mode != MODE_RECOVER)
		return split(request, word, err);
	request->id = memory_duplicate(word);
	return check_parts(request, word, err);
}

void requests_release(struct options *options)
{
	for (size_t i = 0; i < options->request_count; i++)
		release(&options->requests[i]);
	free(options->requests);
	options->requests = NULL;
	options->request_count = 0;
}

static const char *name_there(const struct migration_request *request)
{
	return request->new_id != NULL ? request->new_id : request->id;
}

static bool same(const char *one, const char *other)
{
	return one != NULL && other != NULL && strcmp(one, other) == 0;
}

static int check_pair(const struct migration_request *one, const struct migration_request *other,
		      struct error *err)
{
	if (same(one->id, other->id))
		return error_exit(err, EXIT_USAGE, "container '%s' is named twice", one->id);
	if (same(name_there(one), name_there(other)))
		return error_exit(err, EXIT_USAGE,
				  "containers '%s' and '%s' would both be '%s' on the destination",
				  one->id, other->id, name_there(one));
	if (same(one->private_area, other->private_area))
		return error_exit(err, EXIT_USAGE,
				  "containers '%s' and '%s' would share the private area '%.200s'",
				  one->id, other->id, one->private_area);
	if (same(one->root, other->root))
		return error_exit(err, EXIT_USAGE,
				  "containers '%s' and '%s' would share the root '%.200s'", one->id,
				  other->id, one->root);
	return 0;
}

int requests_check(const struct options *options, struct error *err)
{
	for (size_t i = 0; i < options->request_count; i++)
		for (size_t k = 0; k < i; k++)
			if (check_pair(&options->requests[k], &options->requests[i], err) < 0)
				return -1;
	return 0;
}
