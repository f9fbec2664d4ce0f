// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for handing the resolved configuration to libssh. */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "system/ssh_apply.h"

/* The name and the port under which known_hosts has the host. */
static int apply_name(const struct ssh_config *config, ssh_session session)
{
	const char *host = config->host_key_alias != NULL ? config->host_key_alias : config->host;
	CLEANUP(memory_release) char *bracketed = memory_format("[%s]", host);
	int port = config->host_key_alias != NULL ? 22 : config->port;

	if (ssh_options_set(session, SSH_OPTIONS_HOST, strchr(host, ':') ? bracketed : host) < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_PORT, &port) < 0)
		return -1;
	return ssh_options_set(session, SSH_OPTIONS_USER, config->user);
}

static int apply_algorithms(const struct ssh_config *config, ssh_session session, struct error *err)
{
	const struct {
		enum ssh_options_e option;
		const char *value;
		const char *name;
	} lists[] = {
		{ SSH_OPTIONS_CIPHERS_C_S, config->ciphers, "Ciphers" },
		{ SSH_OPTIONS_CIPHERS_S_C, config->ciphers, "Ciphers" },
		{ SSH_OPTIONS_KEY_EXCHANGE, config->kex, "KexAlgorithms" },
		{ SSH_OPTIONS_HOSTKEYS, config->host_keys, "HostKeyAlgorithms" },
		{ SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, config->public_keys,
		  "PubkeyAcceptedAlgorithms" },
		{ SSH_OPTIONS_HMAC_C_S, config->macs, "MACs" },
		{ SSH_OPTIONS_HMAC_S_C, config->macs, "MACs" },
	};

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (lists[i].value != NULL &&
		    ssh_options_set(session, lists[i].option, lists[i].value) < 0)
			return error_exit(
				err, EXIT_CONNECT,
				"cannot connect to '%s': libssh knows none of the %s '%s'",
				config->name, lists[i].name, lists[i].value);
	return 0;
}

int ssh_config_apply(const struct ssh_config *config, ssh_session session, struct error *err)
{
	bool process_config = false;
	uint64_t rekey_bytes = config->rekey_bytes;
	uint32_t rekey_seconds = config->rekey_seconds;

	if (apply_algorithms(config, session, err) < 0)
		return -1;
	if (ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &process_config) < 0 ||
	    apply_name(config, session) < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_COMPRESSION, config->compression ? "yes" : "no") ||
	    ssh_options_set(session, SSH_OPTIONS_REKEY_DATA, &rekey_bytes) < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_REKEY_TIME, &rekey_seconds) < 0 ||
	    (config->rsa_bits > 0 &&
	     ssh_options_set(session, SSH_OPTIONS_RSA_MIN_SIZE, &config->rsa_bits) < 0))
		return error_exit(err, EXIT_CONNECT, "cannot connect to '%s': %s", config->name,
				  ssh_get_error(session));
	return 0;
}
