/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ssh's configuration says about a destination: ~/.ssh/config, /etc/ssh/ssh_config and the
 * admin's options, resolved by `ssh -G` (which touches no network), so that a host means here what
 * it means to ssh. libssh itself reads no configuration.
 *
 * Honoured: HostName Port User AddressFamily BindAddress BindInterface ConnectTimeout BatchMode
 * IdentityFile CertificateFile IdentitiesOnly IdentityAgent UserKnownHostsFile GlobalKnownHostsFile
 * HostKeyAlias StrictHostKeyChecking ProxyJump ProxyCommand Ciphers KexAlgorithms HostKeyAlgorithms
 * PubkeyAcceptedAlgorithms MACs Compression RekeyLimit RequiredRSASize PreferredAuthentications
 * PubkeyAuthentication PasswordAuthentication KbdInteractiveAuthentication NumberOfPasswordPrompts.
 *
 * Refused with a sentence, because leaving it out would be less safe or would not reach the host:
 * RevokedHostKeys, and a ProxyCommand that needs a shell (it is started by its words).
 *
 * Without effect here: forwardings, ControlMaster, RemoteCommand, GSSAPI, and what only makes the
 * check of the host key laxer (VerifyHostKeyDNS, NoHostAuthenticationForLocalhost…).
 */
#ifndef SYSTEM_SSH_CONFIG_H
#define SYSTEM_SSH_CONFIG_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "system/ssh_options.h"

enum ssh_strict {
	SSH_STRICT_YES,	       /* an unknown host key is refused */
	SSH_STRICT_ASK,	       /* the admin is asked, where there is a terminal */
	SSH_STRICT_ACCEPT_NEW, /* an unknown host key is noted; "no" and "off" mean this too */
};

/* { 0 } is empty. */
struct ssh_config {
	char *name; /* the destination as the admin wrote it */
	char *host; /* what is connected to */
	char *user;
	int port;
	int family;	     /* AF_UNSPEC, AF_INET, AF_INET6 */
	int connect_timeout; /* seconds; 0: none set */
	char *bind_address;
	char *bind_interface;
	char *proxy_jump;    /* NULL: none */
	char *proxy_command; /* NULL: none */
	char *config_file;   /* -F; NULL: the usual ones */
	struct words identity_files;
	struct words certificate_files;
	bool identities_only;
	char *identity_agent; /* NULL: $SSH_AUTH_SOCK; "none"; or a path */
	struct words user_known_hosts;
	struct words global_known_hosts;
	char *host_key_alias;
	enum ssh_strict strict;
	bool batch_mode;			/* nothing is asked */
	bool public_key, password, interactive; /* methods that may be tried */
	int password_prompts;
	bool compression;
	char *ciphers, *kex, *host_keys, *public_keys, *macs;
	int rsa_bits;
	unsigned long long rekey_bytes;
	unsigned int rekey_seconds;
};

/*
 * Asks `ssh -G`, through wait_for(). EXIT_USAGE when ssh does not take the options, EXIT_RUNTIME
 * when there is no ssh, EXIT_CONNECT for what cannot be honoured.
 */
int ssh_config_resolve(struct ssh_config *config, const struct destination *destination,
		       const struct ssh_options *options, struct error *err);

/* A word of a configuration with its %h %p %r %n %d %u %% replaced; the caller frees. */
char *ssh_config_expand(const struct ssh_config *config, const char *word);

void ssh_config_release(struct ssh_config *config);

#endif
