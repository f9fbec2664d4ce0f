// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for choosing the mode: the command, the agent on the destination, rsync's pipe,
 * or criu's action script. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "node/agent.h"
#include "node/hook.h"
#include "system/pipe.h"

/* A program started without 0, 1 or 2 would use them for something else. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* rsync shows what its transport prints. */
static int run_pipe(int argc, char **argv)
{
	struct error failure = { 0 };
	int status = pipe_run(argc, argv, &failure);

	if (failure.text[0] != '\0')
		fprintf(stderr, "vzmigrate: %s\n", failure.text);
	return status;
}

int main(int argc, char **argv)
{
	fill_standard_descriptors();
	umask(022);
	if (hook_is_meant(argv[0]))
		return hook_main(argv[0]);
	if (argc == 2 && strcmp(argv[1], "--agent") == 0)
		return agent_main();
	if (argc > 1 && strcmp(argv[1], "--pipe") == 0)
		return run_pipe(argc - 1, argv + 1);
	return cli_main(argc, argv);
}
