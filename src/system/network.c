// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the links of this node: what they are, and changing them through ip(8). */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "system/network.h"

/* ip answers at once; only a broken kernel lets it wait. */
#define IP_TIMEOUT_MS 10000

/* An ioctl on a link of this process's network namespace. */
static int ask_link(const char *name, unsigned long request, struct ifreq *link)
{
	CLEANUP(descriptor_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(name) >= sizeof(link->ifr_name))
		return -1;
	memcpy(link->ifr_name, name, strlen(name) + 1);
	return ioctl(fd, request, link);
}

bool network_link_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

bool network_is_bridge(const char *name)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq link = { .ifr_data = (void *)&driver };

	if (ask_link(name, SIOCETHTOOL, &link) < 0)
		return false;
	return strcmp(driver.driver, "bridge") == 0 || strcmp(driver.driver, "openvswitch") == 0;
}

int network_mtu(const char *name, struct error *err)
{
	struct ifreq link = { 0 };

	if (ask_link(name, SIOCGIFMTU, &link) < 0)
		return error_system(err, "cannot learn the MTU of '%s'", name);
	return link.ifr_mtu;
}

void network_format_mac(const unsigned char mac[6], char text[NETWORK_MAC_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 6; i++) {
		text[i * 3] = digits[mac[i] >> 4];
		text[i * 3 + 1] = digits[mac[i] & 15];
		text[i * 3 + 2] = i < 5 ? ':' : '\0';
	}
}

static int run_ip(const char *const *argv, struct error *err)
{
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };

	return process_run(&options, IP_TIMEOUT_MS, NULL, err);
}

int network_make_pair(const char *outer, const char *inner, int mtu, struct error *err)
{
	CLEANUP(memory_release) char *size = memory_format("%d", mtu);
	unsigned char mac[6];
	char address[NETWORK_MAC_SIZE];

	if (getrandom(mac, sizeof(mac), 0) != (ssize_t)sizeof(mac))
		return error_system(err, "cannot get random bytes");
	mac[0] = 0xfe;
	network_format_mac(mac, address);
	return run_ip((const char *const[]){ "ip", "link", "add", "name", outer, "address", address,
					     "mtu", size, "up", "type", "veth", "peer", "name",
					     inner, "mtu", size, NULL },
		      err);
}

int network_attach(const char *link, const char *bridge, struct error *err)
{
	return run_ip((const char *const[]){ "ip", "link", "set", "dev", link, "master", bridge,
					     "up", NULL },
		      err);
}

int network_raise(const char *link, bool up, struct error *err)
{
	return run_ip(
		(const char *const[]){ "ip", "link", "set", "dev", link, up ? "up" : "down", NULL },
		err);
}

int network_delete(const char *link, struct error *err)
{
	struct error reason = { 0 };

	if (!network_link_exists(link))
		return 0;
	if (run_ip((const char *const[]){ "ip", "link", "delete", "dev", link, NULL }, &reason) ==
		    0 ||
	    !network_link_exists(link))
		return 0;
	*err = reason;
	return -1;
}
