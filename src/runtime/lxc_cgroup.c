// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Alone responsible for the cgroup of an LXC container where there is nothing but cgroup v2. lxc tells criu of
 * cgroups by the names of v1's controllers, which criu does not find there: a container would be restored into the
 * cgroup that its original had, although another container may have that on this node.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/lxc.h"
#include "system/cgroup.h"

/* Below which cgroup lxc makes those of containers: the first process's own, but not systemd's
 * scope of it. Without a slash at its end. */
static char *read_base(const struct lxc_config *config, struct error *err)
{
	const char *relative = lxc_config_get(config, "lxc.cgroup.relative");
	bool own = relative != NULL && strcmp(relative, "1") == 0;
	char *base = cgroup_of(own ? getpid() : 1, err);

	if (base != NULL && !own && text_ends_with(base, "/init.scope"))
		base[strlen(base) - strlen("/init.scope")] = '\0';
	if (base != NULL && strcmp(base, "/") == 0)
		*base = '\0';
	return base;
}

/* Free of slashes at either end. The caller frees. */
static char *trim(const char *path)
{
	size_t length;

	path += strspn(path, "/");
	length = strlen(path);
	while (length > 0 && path[length - 1] == '/')
		length--;
	return memory_format("%.*s", (int)length, path);
}

/* Where the configuration names the very cgroup it is that; else one that is this migration's own, because lxc
 * leaves the empty cgroups of restored containers behind. */
int lxc_cgroup_plan(const struct checkpoint *checkpoint, struct lxc_cgroup *cgroup,
		    struct error *err)
{
	CLEANUP(lxc_config_release) struct lxc_config config = { 0 };
	CLEANUP(memory_release) char *base = NULL;
	CLEANUP(memory_release) char *below = NULL;
	const char *folder;
	const char *named;
	const char *inner;

	if (lxc_config_of(checkpoint->container, &config, err) < 0)
		return -1;
	base = read_base(&config, err);
	if (base == NULL)
		return -1;
	folder = lxc_config_get(&config, "lxc.cgroup.dir");
	named = lxc_config_get(&config, "lxc.cgroup.dir.container");
	inner = lxc_config_get(&config, "lxc.cgroup.dir.container.inner");
	if (named != NULL) {
		below = trim(named);
		cgroup->limited = memory_format("%s/%s", base, below);
		cgroup->path = inner != NULL ? memory_format("%s/%s", cgroup->limited, inner)
					     : memory_duplicate(cgroup->limited);
		return 0;
	}
	below = folder != NULL ? trim(folder) : memory_duplicate("");
	cgroup->container =
		memory_format("%s%slxc.payload.%s-%u", below, *below != '\0' ? "/" : "",
			      checkpoint->container->id, lxc_migration_number(checkpoint));
	cgroup->monitor =
		memory_format("%s%slxc.monitor.%s-%u", below, *below != '\0' ? "/" : "",
			      checkpoint->container->id, lxc_migration_number(checkpoint));
	cgroup->path = memory_format("%s/%s", base, cgroup->container);
	cgroup->limited = memory_duplicate(cgroup->path);
	return 0;
}

void lxc_cgroup_release(struct lxc_cgroup *cgroup)
{
	free(cgroup->container);
	free(cgroup->monitor);
	free(cgroup->path);
	free(cgroup->limited);
	*cgroup = (struct lxc_cgroup){ 0 };
}
