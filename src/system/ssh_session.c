// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for bringing up a session: socket, key exchange, trust and login in order. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "system/ssh_apply.h"
#include "system/ssh_auth.h"
#include "system/ssh_dial.h"
#include "system/ssh_session.h"
#include "system/ssh_trust.h"

/* How long a proxy that failed may take to say why. */
#define PROXY_WORDS_MS 200

static int connect_limit(const struct ssh_config *config, int timeout_seconds)
{
	int limit = config->connect_timeout > 0 ? config->connect_timeout : SSH_CONNECT_SECONDS;

	return timeout_seconds < limit ? timeout_seconds : limit;
}

/* The proxy's own last words explain more than that it closed the stream. */
static int proxy_failed(struct process *proxy, const struct ssh_config *config, struct error *err)
{
	struct error ignored;
	int status = process_wait(proxy, PROXY_WORDS_MS, &ignored);
	const char *words = process_last_words(proxy);

	if (*words != '\0')
		return error_exit(err, EXIT_CONNECT, "cannot reach '%s' through '%s': %s",
				  config->name, proxy->command, words);
	if (status >= 0)
		return error_exit(err, EXIT_CONNECT,
				  "cannot reach '%s' through '%s': it ended with status %d",
				  config->name, proxy->command, status);
	return error_exit(err, EXIT_CONNECT,
			  "cannot reach '%s' through '%s': no ssh server answered", config->name,
			  proxy->command);
}

static int handshake_failed(struct ssh_link *link, const struct ssh_config *config,
			    struct error *err)
{
	const char *banner = ssh_get_serverbanner(link->session);
	const char *reason = ssh_get_error(link->session);
	const char *prefix = "Socket error: ";

	if (link->proxy.command != NULL && banner == NULL)
		return proxy_failed(&link->proxy, config, err);
	if (text_starts_with(reason, prefix))
		reason += strlen(prefix);
	if (banner == NULL)
		return error_exit(err, EXIT_CONNECT,
				  "what listens at '%s' port %d is no ssh server: it did not greet "
				  "as one (%s)",
				  config->name, config->port, reason);
	return error_exit(err, EXIT_CONNECT, "cannot agree with the ssh server of '%s': %s",
			  config->name, reason);
}

static int set_up(struct ssh_link *link, const struct ssh_config *config, int fd, int limit,
		  struct error *err)
{
	long seconds = limit;

	if (ssh_options_set(link->session, SSH_OPTIONS_FD, &fd) < 0 ||
	    ssh_options_set(link->session, SSH_OPTIONS_TIMEOUT, &seconds) < 0)
		return error_exit(err, EXIT_CONNECT, "cannot connect to '%s': %s", config->name,
				  ssh_get_error(link->session));
	return ssh_config_apply(config, link->session, err);
}

/* From the connected socket on; libssh blocks here, as long as set_up() allows each time. */
static int establish(struct ssh_link *link, const struct ssh_config *config, struct error *err)
{
	CLEANUP(ssh_trust_release) struct ssh_trust trust = SSH_TRUST_NONE;

	if (ssh_trust_prepare(&trust, config, link->session, err) < 0)
		return -1;
	if (ssh_connect(link->session) != SSH_OK)
		return handshake_failed(link, config, err);
	log_debug("'%s' is %s; %s, %s", config->name, ssh_get_serverbanner(link->session),
		  ssh_get_kex_algo(link->session), ssh_get_cipher_out(link->session));
	if (ssh_trust_check(&trust, config, link->session, err) < 0)
		return -1;
	return ssh_auth_login(config, link->session, err);
}

int ssh_link_open(struct ssh_link *link, const struct ssh_config *config, int timeout_seconds,
		  struct error *err)
{
	int limit = connect_limit(config, timeout_seconds);
	int fd = -1;

	link->session = ssh_new();
	if (link->session == NULL)
		return error_set(err, "cannot start an ssh session");
	if (ssh_dial(config, limit, timeout_seconds, &link->proxy, &fd, err) < 0) {
		ssh_free(link->session);
		link->session = NULL;
		return error_default(err, EXIT_CONNECT);
	}
	if (set_up(link, config, fd, limit, err) < 0) {
		close(fd);
		ssh_link_close(link);
		return error_default(err, EXIT_CONNECT);
	}
	/* From here on the descriptor is the session's. */
	if (establish(link, config, err) < 0) {
		ssh_link_close(link);
		return error_default(err, EXIT_CONNECT);
	}
	ssh_set_blocking(link->session, 0);
	return 0;
}

void ssh_link_close(struct ssh_link *link)
{
	if (link->session != NULL) {
		ssh_set_blocking(link->session, 0);
		if (ssh_is_connected(link->session))
			ssh_disconnect(link->session);
		ssh_free(link->session);
	}
	link->session = NULL;
	process_release(&link->proxy);
}
