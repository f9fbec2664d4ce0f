// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for standing in for criu until it is ready to work. */
#include <errno.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "node/gate.h"
#include "node/hook.h"
#include "system/criu_call.h"
#include "system/left_pages.h"

#define DIRECTORY "programs"
#define PROGRAM "criu"
#define RECORDS "left-pages"

char *gate_path(const struct host *host)
{
	return memory_format("%s/" DIRECTORY "/" PROGRAM, host->run_directory);
}

char *gate_search_path(const struct host *host)
{
	CLEANUP(memory_release) char *path = gate_path(host);
	CLEANUP(memory_release) char *directory = file_parent(path);

	return program_path_with(directory);
}

int gate_make(const struct host *host, struct error *err)
{
	CLEANUP(memory_release) char *link = gate_path(host);
	CLEANUP(memory_release) char *directory = file_parent(link);
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

static int end_input(void)
{
	CLEANUP(descriptor_close) int ours = -1;
	CLEANUP(descriptor_close) int input = -1;
	struct error ignored;

	if (process_stream(&ours, &input, &ignored) < 0)
		return -1;
	return dup2(input, STDIN_FILENO) < 0 ? -1 : 0;
}

char *gate_records(const struct host *host)
{
	return memory_format("%s/" RECORDS, host->run_directory);
}

static void leave_pages(const char *run)
{
	CLEANUP(memory_release) char *library = left_pages_library();
	CLEANUP(memory_release) char *records = memory_format("%s/" RECORDS, run);

	if (library != NULL && file_exists(records))
		left_pages_load(library, records);
}

int gate_main(char **argv)
{
	CLEANUP(memory_release) char *programs = file_parent(own_name());
	CLEANUP(memory_release) char *run = file_parent(programs);
	enum criu_call call = criu_call(argv);
	char name[] = PROGRAM;
	struct error ignored;

	if (call == CRIU_RESTORE && hook_ask(run, HOOK_GATE) != 0)
		return 1;
	if (call == CRIU_DUMP && end_input() < 0)
		return 1;
	if (call == CRIU_DUMP)
		leave_pages(run);
	program_path_without(programs);
	argv[0] = name;
	program_become(argv, &ignored);
	return 1;
}
