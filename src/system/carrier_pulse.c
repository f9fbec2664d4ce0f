// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for noticing that the peer is silent. */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <libssh/server.h> /* ssh_send_keepalive() is declared there, for clients too */

#include "base/wait.h"
#include "system/carrier_pulse.h"

void carrier_pulse_start(struct carrier_pulse *pulse, ssh_session session, int timeout_seconds)
{
	*pulse = (struct carrier_pulse){ .timeout_ms = timeout_seconds * 1000 };
	pulse->alive = wait_clock();
	pulse->asked = pulse->alive;
	ssh_set_counters(session, &pulse->counter, NULL);
}

/* Does data wait to be acknowledged, and has some been since the last look? */
static bool data_flows(struct carrier_pulse *pulse, int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);
	bool progress;
	int queued = 0;

	/* A proxy's socket is no TCP socket: then only what comes counts. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 ||
	    ioctl(fd, SIOCOUTQ, &queued) < 0)
		return false;
	progress = info.tcpi_bytes_acked != pulse->acknowledged_bytes;
	pulse->acknowledged_bytes = info.tcpi_bytes_acked;
	return progress && queued > 0;
}

bool carrier_pulse_check(struct carrier_pulse *pulse, ssh_session session)
{
	int64_t now = wait_clock();

	if (pulse->counter.in_bytes != pulse->seen_bytes || data_flows(pulse, ssh_get_fd(session)))
		pulse->alive = now;
	pulse->seen_bytes = pulse->counter.in_bytes;
	if (now - pulse->alive >= pulse->timeout_ms)
		return false;
	if (now - pulse->alive >= pulse->timeout_ms / 4 &&
	    now - pulse->asked >= pulse->timeout_ms / 4) {
		pulse->asked = now;
		/* Where the last question was answered, the first call only takes note of it. */
		ssh_send_keepalive(session);
		ssh_send_keepalive(session);
	}
	return true;
}

int carrier_pulse_interval(const struct carrier_pulse *pulse)
{
	return pulse->timeout_ms / 8 < 1000 ? pulse->timeout_ms / 8 : 1000;
}
