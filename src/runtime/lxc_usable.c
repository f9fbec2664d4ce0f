// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for whether this node has the programs that LXC containers need. */
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "runtime/lxc.h"
#include "system/criu_probe.h"

static int check_criu(struct error *err)
{
	if (runtime_find_program("lxc-checkpoint", err) < 0 ||
	    runtime_find_program("criu", err) < 0)
		return -1;
	return criu_usable(err);
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
		if (runtime_find_program(programs[i], err) < 0)
			return -1;
	if (!online)
		return 0;
	if (runtime_find_program("ip", err) < 0 || check_criu(err) < 0 || check_firewall(err) < 0)
		return error_default(err, EXIT_RUNTIME);
	return 0;
}
