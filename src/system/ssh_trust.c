// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for refusing a server whose host key is not the known one. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "system/ssh_trust.h"
#include "system/terminal.h"

/* known_hosts files are some hundred bytes a host; ten thousand hosts fit. */
#define HOSTS_LIMIT (16 << 20)

/* The server's key in the forms that messages and files want. */
struct host_key {
	ssh_key key;
	char *fingerprint; /* "SHA256:…" */
	char *base64;
	const char *type; /* "ssh-ed25519" */
};

static void host_key_release(struct host_key *host_key)
{
	ssh_key_free(host_key->key);
	ssh_string_free_char(host_key->fingerprint);
	ssh_string_free_char(host_key->base64);
	*host_key = (struct host_key){ 0 };
}

static int host_key_get(struct host_key *host_key, ssh_session session)
{
	unsigned char *hash = NULL;
	size_t length = 0;

	if (ssh_get_server_publickey(session, &host_key->key) < 0 ||
	    ssh_get_publickey_hash(host_key->key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) < 0)
		return -1;
	host_key->fingerprint = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
	ssh_clean_pubkey_hash(&hash);
	host_key->type = ssh_key_type_to_char(ssh_key_type(host_key->key));
	if (ssh_pki_export_pubkey_base64(host_key->key, &host_key->base64) < 0)
		return -1;
	return host_key->fingerprint != NULL ? 0 : -1;
}

static void join_files(struct text *hosts, const struct ssh_config *config,
		       const struct words *files)
{
	for (size_t i = 0; i < files->count; i++) {
		CLEANUP(memory_release) char *path = ssh_config_expand(config, files->items[i]);
		struct error failure;

		/* A file that is not there knows nobody: the usual case for all but one. */
		if (strcmp(path, "none") != 0 && file_exists(path) &&
		    file_read(path, HOSTS_LIMIT, hosts, &failure) < 0)
			log_warning("%s", failure.text);
		text_append(hosts, "\n", 1);
	}
}

int ssh_trust_prepare(struct ssh_trust *trust, const struct ssh_config *config, ssh_session session,
		      struct error *err)
{
	CLEANUP(memory_release) char *path = NULL;
	size_t written = 0;

	join_files(&trust->hosts, config, &config->user_known_hosts);
	join_files(&trust->hosts, config, &config->global_known_hosts);
	trust->fd = memfd_create("known_hosts", MFD_CLOEXEC);
	if (trust->fd < 0)
		return error_system(err, "cannot make a memory file");
	while (written < trust->hosts.length) {
		ssize_t count = write(trust->fd, trust->hosts.bytes + written,
				      trust->hosts.length - written);

		if (count < 0)
			return error_system(err, "cannot write a memory file");
		written += (size_t)count;
	}
	path = memory_format("/proc/self/fd/%d", trust->fd);
	if (ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, path) < 0 ||
	    ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") < 0)
		return error_set(err, "cannot use known_hosts: %s", ssh_get_error(session));
	return 0;
}

/* libssh passes over @revoked lines. The host pattern does not matter: a revoked key is bad. */
static bool is_revoked(const struct ssh_trust *trust, const struct host_key *host_key)
{
	CLEANUP(memory_release) char *copy = memory_duplicate(text_string(&trust->hosts));
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		const char *save = "@revoked";
		int field = 0;

		line += strspn(line, " \t");
		if (strncmp(line, save, strlen(save)) != 0)
			continue;
		for (char *word; (word = strsep(&line, " \t\r")) != NULL;)
			if (*word != '\0' && field++ == 3 && strcmp(word, host_key->base64) == 0)
				return true;
	}
	return false;
}

/* As ssh does: a key known for the host without a port is good for its other ports. */
static enum ssh_known_hosts_e look_up(const struct ssh_config *config, ssh_session session)
{
	enum ssh_known_hosts_e found = ssh_session_is_known_server(session);
	int usual = 22;
	int port = config->port;

	if ((found != SSH_KNOWN_HOSTS_UNKNOWN && found != SSH_KNOWN_HOSTS_NOT_FOUND) ||
	    port == usual || config->host_key_alias != NULL)
		return found;
	ssh_options_set(session, SSH_OPTIONS_PORT, &usual);
	if (ssh_session_is_known_server(session) == SSH_KNOWN_HOSTS_OK)
		found = SSH_KNOWN_HOSTS_OK;
	ssh_options_set(session, SSH_OPTIONS_PORT, &port);
	return found;
}

/* Notes the key in the first file of the user; that this fails stops nobody, as in ssh. */
static void note_key(const struct ssh_config *config, ssh_session session)
{
	CLEANUP(memory_release) char *path = NULL;

	if (config->user_known_hosts.count == 0)
		return;
	path = ssh_config_expand(config, config->user_known_hosts.items[0]);
	if (strcmp(path, "none") == 0 || strcmp(path, "/dev/null") == 0)
		return;
	if (ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, path) < 0 ||
	    ssh_session_update_known_hosts(session) < 0)
		log_warning("cannot note the host key of '%s' in '%s': %s", config->name, path,
			    ssh_get_error(session));
	else
		log_notice("noted the host key of '%s' in '%s'", config->name, path);
}

/* What the admin types to see the key and to accept it. */
static char *ssh_command(const struct ssh_config *config)
{
	if (config->port == 22)
		return memory_format("ssh %s@%s", config->user, config->name);
	return memory_format("ssh -p %d %s@%s", config->port, config->user, config->name);
}

static int refuse_unknown(const struct ssh_config *config, const struct host_key *host_key,
			  struct error *err)
{
	CLEANUP(memory_release) char *command = ssh_command(config);

	return error_exit(err, EXIT_CONNECT,
			  "the host key of '%s' (%s %s) is not known here: run '%s' once, compare "
			  "it and accept it",
			  config->name, host_key->type, host_key->fingerprint, command);
}

/* The name that known_hosts has for the server. */
static char *known_name(const struct ssh_config *config)
{
	if (config->host_key_alias != NULL)
		return memory_duplicate(config->host_key_alias);
	if (config->port == 22)
		return memory_duplicate(config->host);
	return memory_format("[%s]:%d", config->host, config->port);
}

static int refuse_changed(const struct ssh_config *config, const struct host_key *host_key,
			  struct error *err)
{
	CLEANUP(memory_release) char *command = ssh_command(config);
	CLEANUP(memory_release) char *known = known_name(config);

	return error_exit(err, EXIT_CONNECT,
			  "the host key of '%s' has changed (it is now %s %s): somebody may be in "
			  "between; if the host was reinstalled, remove its old key with "
			  "'ssh-keygen -R %s' and accept the new one with '%s'",
			  config->name, host_key->type, host_key->fingerprint, known, command);
}

static int ask_admin(const struct ssh_config *config, const struct host_key *host_key,
		     struct error *err)
{
	CLEANUP(memory_release)
	char *prompt = memory_format(
		"The authenticity of host '%s' (%s port %d) can't be established.\n"
		"Its %s key fingerprint is %s.\n"
		"Continue connecting (yes/no/[fingerprint])? ",
		config->name, config->host, config->port, host_key->type, host_key->fingerprint);

	for (;;) {
		CLEANUP(text_release) struct text answer = { 0 };
		const char *word;

		if (terminal_ask(prompt, true, &answer, err) < 0)
			return -1;
		word = text_strip(answer.bytes);
		if (strcasecmp(word, "yes") == 0 || strcmp(word, host_key->fingerprint) == 0)
			return 0;
		if (strcasecmp(word, "no") == 0)
			return error_exit(err, EXIT_CONNECT,
					  "the host key of '%s' was not accepted", config->name);
		memory_release(&prompt);
		prompt = memory_duplicate("Please type 'yes', 'no' or the fingerprint: ");
	}
}

static int decide_unknown(const struct ssh_config *config, ssh_session session,
			  const struct host_key *host_key, struct error *err)
{
	if (config->strict == SSH_STRICT_YES)
		return refuse_unknown(config, host_key, err);
	if (config->strict == SSH_STRICT_ASK) {
		if (config->batch_mode || !terminal_present())
			return refuse_unknown(config, host_key, err);
		if (ask_admin(config, host_key, err) < 0)
			return -1;
	}
	note_key(config, session);
	return 0;
}

int ssh_trust_check(const struct ssh_trust *trust, const struct ssh_config *config,
		    ssh_session session, struct error *err)
{
	CLEANUP(host_key_release) struct host_key host_key = { 0 };

	if (host_key_get(&host_key, session) < 0)
		return error_exit(err, EXIT_CONNECT, "cannot read the host key of '%s': %s",
				  config->name, ssh_get_error(session));
	if (is_revoked(trust, &host_key))
		return error_exit(err, EXIT_CONNECT,
				  "the host key of '%s' (%s %s) is marked @revoked in known_hosts",
				  config->name, host_key.type, host_key.fingerprint);
	switch (look_up(config, session)) {
	case SSH_KNOWN_HOSTS_OK:
		return 0;
	case SSH_KNOWN_HOSTS_UNKNOWN:
	case SSH_KNOWN_HOSTS_NOT_FOUND:
		return decide_unknown(config, session, &host_key, err);
	case SSH_KNOWN_HOSTS_CHANGED:
		return refuse_changed(config, &host_key, err);
	case SSH_KNOWN_HOSTS_OTHER:
		return error_exit(err, EXIT_CONNECT,
				  "'%s' shows a host key of another type (%s %s) than the known "
				  "ones: compare it and add it to known_hosts",
				  config->name, host_key.type, host_key.fingerprint);
	default:
		return error_exit(err, EXIT_CONNECT, "cannot check the host key of '%s': %s",
				  config->name, ssh_get_error(session));
	}
}

void ssh_trust_release(struct ssh_trust *trust)
{
	descriptor_close(&trust->fd);
	text_release(&trust->hosts);
}
