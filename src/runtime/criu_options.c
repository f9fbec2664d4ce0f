// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the file of options that criu reads, and for those that do not depend on the runtime. */
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/criu_options.h"
#include "system/lazy_socket.h"

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

/* criu looks for it where it works, which is the images' directory; that is not ours alone. */
static int link_socket(const struct checkpoint *checkpoint, struct error *err)
{
	CLEANUP(memory_release)
	char *link = memory_format("%s/" LAZY_SOCKET_NAME, checkpoint->images);
	CLEANUP(memory_release)
	char *target = memory_format("%s/" LAZY_SOCKET_NAME, checkpoint->work);

	if (symlink(target, link) < 0 && errno != EEXIST)
		return error_system(err, "cannot make the link '%s'", link);
	return 0;
}

int criu_options_restore(const struct checkpoint *checkpoint, const char *cgroup,
			 struct text *options, struct error *err)
{
	add_common(checkpoint, options);
	if (cgroup != NULL)
		text_format(options, "cgroup-root %s\n", cgroup);
	return checkpoint->memory_apart ? link_socket(checkpoint, err) : 0;
}

int criu_options_write(const struct checkpoint *checkpoint, const struct text *options,
		       struct command *command, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("%s/criu.conf", checkpoint->work);

	words_format(&command->environment, "CRIU_CONFIG_FILE=%s", path);
	return file_write(path, options, 0600, err);
}
