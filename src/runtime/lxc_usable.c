// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for whether this node has the programs that LXC containers need. */
#include <stdio.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "runtime/lxc.h"

/* `criu check` takes 0.03 s, after boot some 0.5 s for the probing that it remembers. */
#define CRIU_TIMEOUT_MS 20000

/* The first criu that keeps the options which lxc passes, and that restores on kernels since 5.x. */
#define CRIU_MAJOR_LEAST 3
#define CRIU_MINOR_LEAST 17

static int find_program(const char *program, struct error *err)
{
	CLEANUP(memory_release) char *path = process_find(program);

	if (path == NULL)
		return error_exit(err, EXIT_RUNTIME, "the program '%s' is not installed", program);
	return 0;
}

static int check_criu_version(struct error *err)
{
	static const char *const argv[] = { "criu", "--version", NULL };
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };
	CLEANUP(text_release) struct text output = { 0 };
	int major = 0;
	int minor = 0;

	if (process_run(&options, CRIU_TIMEOUT_MS, &output, err) < 0)
		return -1;
	if (sscanf(text_string(&output), "Version: %d.%d", &major, &minor) < 1)
		return error_set(err, "'criu --version' does not tell its version");
	if (major < CRIU_MAJOR_LEAST || (major == CRIU_MAJOR_LEAST && minor < CRIU_MINOR_LEAST))
		return error_set(err, "criu %d.%d is too old; install %d.%d or newer", major, minor,
				 CRIU_MAJOR_LEAST, CRIU_MINOR_LEAST);
	return 0;
}

static int check_criu(struct error *err)
{
	static const char *const argv[] = { "criu", "check", NULL };
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };

	if (find_program("lxc-checkpoint", err) < 0 || find_program("criu", err) < 0)
		return -1;
	if (check_criu_version(err) < 0 || process_run(&options, CRIU_TIMEOUT_MS, NULL, err) < 0)
		return error_context(err, "criu is not usable");
	return 0;
}

/* criu locks the container's network with one of them. */
static int check_firewall(struct error *err)
{
	CLEANUP(memory_release) char *iptables = process_find("iptables-restore");
	CLEANUP(memory_release) char *nft = process_find("nft");

	if (iptables == NULL && nft == NULL)
		return error_exit(err, EXIT_RUNTIME,
				  "neither iptables nor nft is installed; criu needs one of them "
				  "to hold the connections of the container");
	return 0;
}

int lxc_usable(bool online, struct error *err)
{
	static const char *const programs[] = { "lxc-config", "lxc-info", "lxc-start", "lxc-stop" };

	for (size_t i = 0; i < COUNT_OF(programs); i++)
		if (find_program(programs[i], err) < 0)
			return -1;
	if (!online)
		return 0;
	if (find_program("ip", err) < 0 || check_criu(err) < 0 || check_firewall(err) < 0)
		return error_default(err, EXIT_RUNTIME);
	return 0;
}
