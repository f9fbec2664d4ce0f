// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the file of options that criu reads, and for those that do not depend on the runtime. */
#include "base/file.h"
#include "base/memory.h"
#include "runtime/criu_options.h"

static void add_common(const struct checkpoint *checkpoint, struct text *options)
{
	text_format(options, "tcp-established\nghost-limit %dM\n", CHECKPOINT_GHOST_MIB);
	if (checkpoint->memory_apart)
		text_format(options, "lazy-pages\n");
	if (checkpoint->nftables)
		text_format(options, "network-lock nftables\n");
}

void criu_options_dump(const struct checkpoint *checkpoint, struct text *options)
{
	add_common(checkpoint, options);
	if (checkpoint->memory_apart)
		text_format(options, "ps-socket 0\n");
}

void criu_options_restore(const struct checkpoint *checkpoint, const char *cgroup,
			  struct text *options)
{
	add_common(checkpoint, options);
	text_format(options, "work-dir %s\n", checkpoint->work);
	if (cgroup != NULL)
		text_format(options, "cgroup-root %s\n", cgroup);
}

int criu_options_write(const struct checkpoint *checkpoint, const struct text *options,
		       struct command *command, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/criu.conf", checkpoint->work);

	words_format(&command->environment, "CRIU_CONFIG_FILE=%s", path);
	return file_write(path, options, 0600, err);
}
