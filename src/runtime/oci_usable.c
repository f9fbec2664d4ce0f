// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for whether this node has the programs that OCI containers need. */
#include <dlfcn.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/memory.h"
#include "base/process.h"
#include "runtime/oci.h"

/* What a dump wants: criu; ip for the network; tar and gzip, with which criu packs what is on a tmpfs. */
static const char *const online_programs[] = { "criu", "ip", "tar", "gzip" };

#define HYBRID_MOUNT "/sys/fs/cgroup/unified"
#define CRIU_LIBRARY "libcriu.so.2"

/* crun loads it only when a container is dumped. */
static int check_library(struct error *err)
{
	void *library = dlopen(CRIU_LIBRARY, RTLD_LAZY | RTLD_LOCAL);

	if (library == NULL)
		return error_exit(err, EXIT_RUNTIME,
				  "crun needs " CRIU_LIBRARY ", which is not installed");
	dlclose(library);
	return 0;
}

static int check_crun(bool online, struct error *err)
{
	struct statfs status;

	if (statfs(HYBRID_MOUNT, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC)
		return error_exit(err, EXIT_RUNTIME,
				  "crun refuses nodes with both versions of cgroups: unmount "
				  "'" HYBRID_MOUNT "'");
	return online ? check_library(err) : 0;
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

int oci_usable(const struct oci_program *program, bool online, struct error *err)
{
	if (runtime_find_program(program->name, err) < 0 ||
	    (program == &oci_crun && check_crun(online, err) < 0))
		return -1;
	if (!online)
		return 0;
	for (size_t i = 0; i < COUNT_OF(online_programs); i++)
		if (runtime_find_program(online_programs[i], err) < 0)
			return -1;
	return check_firewall(err);
}
