// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for finding programs and for the environment that they get. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/program.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *search_path(void)
{
	const char *path = getenv("PATH");

	return path != NULL && *path != '\0' ? path : DEFAULT_PATH;
}

static bool has_path(const char *const *environment)
{
	for (; environment != NULL && *environment != NULL; environment++)
		if (text_starts_with(*environment, "PATH="))
			return true;
	return false;
}

char *program_path_with(const char *directory)
{
	return memory_format("%s:%s", directory, search_path());
}

void program_path_without(const char *directory)
{
	const char *path = search_path();
	size_t length = strlen(directory);

	if (strncmp(path, directory, length) == 0 && path[length] == ':')
		setenv("PATH", path + length + 1, 1);
}

void program_environment(struct words *environment, const char *const *extra)
{
	static const char *const passed[] = { "HOME", "TERM", "SSH_AUTH_SOCK", "TMPDIR" };

	if (!has_path(extra))
		words_format(environment, "PATH=%s", search_path());
	words_add(environment, "LC_ALL=C.UTF-8");
	for (size_t i = 0; i < COUNT_OF(passed); i++)
		if (getenv(passed[i]) != NULL)
			words_format(environment, "%s=%s", passed[i], getenv(passed[i]));
	if (extra != NULL)
		words_add_all(environment, extra);
}

/* A directory is "executable" too. */
static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

char *process_find(const char *program)
{
	CLEANUP(memory_release) char *path = memory_duplicate(search_path());
	char *rest = path;

	if (strchr(program, '/') != NULL)
		return is_program(program) ? memory_duplicate(program) : NULL;
	for (char *directory; (directory = strsep(&rest, ":")) != NULL;) {
		CLEANUP(memory_release)
		char *candidate =
			memory_format("%s/%s", *directory != '\0' ? directory : ".", program);

		if (is_program(candidate))
			return memory_steal(&candidate);
	}
	return NULL;
}

char *process_own_path(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length <= 0)
		return memory_duplicate("/usr/sbin/vzmigrate");
	path[length] = '\0';
	return memory_duplicate(path);
}

int program_become(char *const *argv, struct error *err)
{
	CLEANUP(memory_release) char *program = process_find(argv[0]);

	if (program != NULL)
		execv(program, argv);
	return error_system(err, "cannot become '%s'", argv[0]);
}
