// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for standing in for criu until the images are there. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/program.h"
#include "base/text.h"
#include "node/gate.h"
#include "node/hook.h"

#define DIRECTORY "programs"
#define PROGRAM "criu"

char *gate_directory(const struct host *host)
{
	return memory_format("%s/" DIRECTORY, host->run_directory);
}

int gate_make(const struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *directory = gate_directory(host);
	CLEANUP(memory_release) char *link = memory_format("%s/" PROGRAM, directory);
	CLEANUP(memory_release) char *program = process_own_path();

	if (file_make_directory(directory, 0700, err) < 0)
		return -1;
	if (symlink(program, link) < 0 && errno != EEXIST)
		return error_system(err, "cannot make the link '%s'", link);
	return 0;
}

/* What was executed; whoever did it may say anything in argv[0]. */
static const char *own_name(void)
{
	const char *path = (const char *)(uintptr_t)getauxval(AT_EXECFN);

	return path != NULL ? path : "";
}

bool gate_is_meant(void)
{
	const char *path = own_name();

	return text_starts_with(path, RUN_DIRECTORY "/") &&
	       text_ends_with(path, "/" DIRECTORY "/" PROGRAM);
}

/* The runtime also asks criu for its version. */
int gate_main(char **argv)
{
	CLEANUP(memory_release) char *programs = file_parent(own_name());
	CLEANUP(memory_release) char *run = file_parent(programs);
	char name[] = PROGRAM;
	struct error ignored;

	if (argv[1] != NULL && strcmp(argv[1], "restore") == 0 && hook_ask(run, HOOK_GATE) != 0)
		return 1;
	program_path_without(programs);
	argv[0] = name;
	program_become(argv, &ignored);
	return 1;
}
