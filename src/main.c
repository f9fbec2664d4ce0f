// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for choosing the mode: the command, the agent on the destination, rsync's pipe,
 * the receiver of images, who fills memory in, criu's action script, or what stands in for criu. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/cli.h"
#include "node/agent.h"
#include "node/fill.h"
#include "node/gate.h"
#include "node/hook.h"
#include "node/host.h"
#include "system/image_stream.h"
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

static bool is_ours(const char *directory)
{
	return file_path_is_plain(directory) && text_starts_with(directory, RUN_DIRECTORY "/");
}

/* What it fails of goes where the source reads it. */
static int run_images(const char *directory, const char *store)
{
	const struct image_target target = { directory, store };
	struct error failure = { 0 };

	if (!is_ours(directory) || (store != NULL && !is_ours(store)))
		error_set(&failure, "'%.200s' is no directory for images",
			  is_ours(directory) ? store : directory);
	else if (image_receive(&target, STDIN_FILENO, STDOUT_FILENO, &failure) == 0)
		return EXIT_OK;
	fprintf(stderr, "%s\n", failure.text);
	return EXIT_COPY;
}

int main(int argc, char **argv)
{
	fill_standard_descriptors();
	umask(022);
	if (hook_is_meant(argv[0]))
		return hook_main(argv[0]);
	if (gate_is_meant())
		return gate_main(argv);
	if (argc == 2 && strcmp(argv[1], "--agent") == 0)
		return agent_main();
	if (argc > 1 && strcmp(argv[1], "--pipe") == 0)
		return run_pipe(argc - 1, argv + 1);
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "--images") == 0)
		return run_images(argv[2], argc == 4 ? argv[3] : NULL);
	if (argc > 1 && strcmp(argv[1], "--fill") == 0)
		return fill_main(argc - 1, argv + 1);
	return cli_main(argc, argv);
}
