// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Alone responsible for the command that dumps an LXC container. lxc-checkpoint does it, but where there is nothing
 * but cgroup v2: there it cannot dump what it has itself restored, up to lxc 7.0 ("Failed getting freezer
 * path"), so criu is called as lxc-checkpoint calls it.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/criu_options.h"
#include "runtime/lxc.h"
#include "system/cgroup.h"

/* A terminal of the node is the container's console: criu is to take it from outside. lxc-checkpoint looks for
 * what it was in "tty.info" when it restores. */
static int add_console(const struct checkpoint *checkpoint, const struct lxc_config *config,
		       struct words *argv, struct error *err)
{
	CLEANUP(memory_release) char *info = memory_format("%s/tty.info", checkpoint->images);
	CLEANUP(memory_release)
	char *console =
		memory_format("/proc/%d/root/dev/console", (int)checkpoint->container->init_pid);
	CLEANUP(text_release) struct text name = { 0 };
	const char *path = lxc_config_get(config, "lxc.console.path");
	struct stat status;

	if (path != NULL && strcmp(path, "none") == 0)
		return 0;
	if (stat(console, &status) < 0)
		return error_system(err, "cannot look at the console of container '%s'",
				    checkpoint->container->id);
	text_format(&name, "tty[%llx:%llx]", (unsigned long long)status.st_rdev,
		    (unsigned long long)status.st_dev);
	words_add_all(argv, (const char *const[]){ "--ext-mount-map", "/dev/console:console",
						   "--external", text_string(&name), NULL });
	return file_write(info, &name, 0600, err);
}

/* What is bound into it has, for lxc-checkpoint, the name of its target. */
static void add_mounts(const struct lxc_config *config, struct words *argv)
{
	CLEANUP(words_release) struct words targets = { 0 };

	lxc_list_binds(config, &targets);
	for (size_t i = 0; i < targets.count; i++) {
		words_add(argv, "--ext-mount-map");
		words_format(argv, "/%s:%s", targets.items[i], targets.items[i]);
	}
}

static int call_criu(const struct checkpoint *checkpoint, struct command *command,
		     struct error *err)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release) char *freezer = NULL;
	CLEANUP(memory_release)
	char *process = memory_format("%d", (int)checkpoint->container->init_pid);
	struct words *argv = &command->argv;

	if (lxc_config_of(checkpoint->container, &config, err) < 0 ||
	    cgroup_find_freezer(checkpoint->container->init_pid, &freezer, err) < 0)
		return -1;
	words_add_all(argv, (const char *const[]){ checkpoint->criu,
						   "dump",
						   "-t",
						   process,
						   "-D",
						   checkpoint->images,
						   "-o",
						   "dump.log",
						   "--action-script",
						   checkpoint->hook,
						   "--freeze-cgroup",
						   freezer,
						   "--file-locks",
						   "--link-remap",
						   "--force-irmap",
						   "--skip-in-flight",
						   "--manage-cgroups=full",
						   "--ext-mount-map",
						   "auto",
						   "--enable-external-sharing",
						   "--enable-external-masters",
						   "--enable-fs",
						   "hugetlbfs",
						   "--enable-fs",
						   "tracefs",
						   NULL });
	add_mounts(&config, argv);
	return add_console(checkpoint, &config, argv, err);
}

int lxc_dump_command(const struct checkpoint *checkpoint, struct command *command,
		     struct error *err)
{
	CLEANUP(text_release) struct text options = { 0 };

	criu_options_dump(checkpoint, &options);
	if (criu_options_write(checkpoint, &options, command, err) < 0)
		return -1;
	if (cgroup_is_unified())
		return call_criu(checkpoint, command, err);
	words_add_all(&command->argv,
		      (const char *const[]){ "lxc-checkpoint", "-n", checkpoint->container->id,
					     "-s", "-D", checkpoint->images, "-A", checkpoint->hook,
					     NULL });
	return 0;
}
