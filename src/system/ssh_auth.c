// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the order and the outcome of the ways to log in. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "system/ssh_auth.h"
#include "system/terminal.h"

/* How often ssh(1) asks for the passphrase of one key. */
#define PASSPHRASE_PROMPTS 3

struct login {
	const struct ssh_config *config;
	ssh_session session;
	struct text tried; /* for the sentence: "agent, /root/.ssh/id_rsa" */
	bool locked_key;   /* a key file was passed over for want of its passphrase */
	bool may_ask;
	struct error failure; /* exit_status is set when a question was interrupted */
};

static void note(struct login *login, const char *what, const char *detail)
{
	text_format(&login->tried, "%s%s%s%s%s", login->tried.length > 0 ? ", " : "", what,
		    *detail != '\0' ? " (" : "", detail, *detail != '\0' ? ")" : "");
}

static bool offered(const struct login *login, int method)
{
	return (ssh_userauth_list(login->session, NULL) & method) != 0;
}

/* Asks; false when nothing came. */
static bool ask(struct login *login, const char *prompt, bool echo, struct text *answer)
{
	return terminal_ask(prompt, echo, answer, &login->failure) == 0;
}

static void forget(struct text *secret)
{
	if (secret->bytes != NULL)
		explicit_bzero(secret->bytes, secret->capacity);
	text_release(secret);
}

/* libssh calls it for a key that is encrypted, and its type says what it takes. */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static int passphrase_needed(const char *prompt, char *buffer, size_t size, int echo, int verify,
			     void *data)
{
	bool *needed = data;

	(void)prompt, (void)buffer, (void)size, (void)echo, (void)verify;
	*needed = true;
	return -1;
}

static ssh_key read_locked_key(struct login *login, const char *path)
{
	CLEANUP(memory_release)
	char *prompt = memory_format("Enter passphrase for key '%s': ", path);

	for (int i = 0; i < PASSPHRASE_PROMPTS; i++) {
		CLEANUP(forget) struct text passphrase = { 0 };
		ssh_key key = NULL;

		if (!ask(login, prompt, false, &passphrase) || passphrase.length == 0)
			return NULL;
		if (ssh_pki_import_privkey_file(path, passphrase.bytes, NULL, NULL, &key) == SSH_OK)
			return key;
	}
	return NULL;
}

/* Would the server take the key whose public half is in FILE.pub? Without the file: perhaps. */
static bool wanted_by_server(struct login *login, const char *path)
{
	CLEANUP(memory_release) char *public_path = memory_format("%s.pub", path);
	ssh_key key = NULL;
	int result;

	if (ssh_pki_import_pubkey_file(public_path, &key) != SSH_OK)
		return true;
	result = ssh_userauth_try_publickey(login->session, NULL, key);
	ssh_key_free(key);
	return result == SSH_AUTH_SUCCESS;
}

static ssh_key read_key(struct login *login, const char *path)
{
	bool needed = false;
	ssh_key key = NULL;

	if (ssh_pki_import_privkey_file(path, NULL, passphrase_needed, &needed, &key) == SSH_OK)
		return key;
	if (!needed) {
		note(login, path, "unreadable");
		return NULL;
	}
	if (login->may_ask && wanted_by_server(login, path))
		key = read_locked_key(login, path);
	if (key == NULL) {
		login->locked_key = true;
		note(login, path, "needs its passphrase");
	}
	return key;
}

static int try_key(struct login *login, ssh_key key, const char *certificate_path)
{
	ssh_key certificate = NULL;
	ssh_key both = NULL;
	int result = SSH_AUTH_DENIED;

	if (certificate_path == NULL)
		return ssh_userauth_publickey(login->session, NULL, key);
	if (ssh_pki_import_cert_file(certificate_path, &certificate) != SSH_OK)
		return SSH_AUTH_DENIED;
	both = ssh_key_dup(key);
	if (both != NULL && ssh_pki_copy_cert_to_privkey(certificate, both) == SSH_OK)
		result = ssh_userauth_publickey(login->session, NULL, both);
	ssh_key_free(both);
	ssh_key_free(certificate);
	return result;
}

/* The key with each certificate that may belong to it, then alone. */
static int try_key_file(struct login *login, const char *path)
{
	CLEANUP(memory_release) char *certificate = memory_format("%s-cert.pub", path);
	const struct words *others = &login->config->certificate_files;
	ssh_key key = read_key(login, path);
	int result = SSH_AUTH_DENIED;

	if (key == NULL)
		return login->failure.exit_status != 0 ? SSH_AUTH_ERROR : SSH_AUTH_DENIED;
	if (file_exists(certificate))
		result = try_key(login, key, certificate);
	for (size_t i = 0; i < others->count && result == SSH_AUTH_DENIED; i++) {
		CLEANUP(memory_release)
		char *other = ssh_config_expand(login->config, others->items[i]);

		result = try_key(login, key, other);
	}
	if (result == SSH_AUTH_DENIED)
		result = try_key(login, key, NULL);
	ssh_key_free(key);
	note(login, path, "");
	return result;
}

static int try_key_files(struct login *login)
{
	const struct words *files = &login->config->identity_files;
	int result = SSH_AUTH_DENIED;

	for (size_t i = 0; i < files->count && result == SSH_AUTH_DENIED; i++) {
		CLEANUP(memory_release)
		char *path = ssh_config_expand(login->config, files->items[i]);
		struct stat info;

		if (stat(path, &info) < 0 || !S_ISREG(info.st_mode))
			continue;
		if (info.st_uid == geteuid() && (info.st_mode & 077) != 0)
			note(login, path, "others can read it: not used");
		else
			result = try_key_file(login, path);
	}
	return result;
}

static int try_agent(struct login *login)
{
	const char *path = login->config->identity_agent;
	CLEANUP(memory_release) char *expanded = NULL;

	if (path != NULL && strcmp(path, "none") == 0)
		return SSH_AUTH_DENIED;
	if (path != NULL && *path == '$')
		path = secure_getenv(path + 1);
	if (path == NULL || strcmp(path, "SSH_AUTH_SOCK") == 0)
		path = secure_getenv("SSH_AUTH_SOCK");
	if (path == NULL || *path == '\0')
		return SSH_AUTH_DENIED;
	expanded = ssh_config_expand(login->config, path);
	if (ssh_options_set(login->session, SSH_OPTIONS_IDENTITY_AGENT, expanded) < 0)
		return SSH_AUTH_DENIED;
	note(login, "the agent's keys", "");
	return ssh_userauth_agent(login->session, NULL);
}

static int try_public_key(struct login *login)
{
	int result = SSH_AUTH_DENIED;

	if (!login->config->identities_only)
		result = try_agent(login);
	if (result == SSH_AUTH_DENIED)
		result = try_key_files(login);
	if (result == SSH_AUTH_DENIED && login->config->identities_only && login->locked_key)
		result = try_agent(login);
	return result;
}

static int answer_questions(struct login *login)
{
	int count = ssh_userauth_kbdint_getnprompts(login->session);
	const char *instruction = ssh_userauth_kbdint_getinstruction(login->session);

	for (int i = 0; i < count; i++) {
		CLEANUP(forget) struct text answer = { 0 };
		CLEANUP(memory_release) char *prompt = NULL;
		char shown[512];
		char echo = 0;
		const char *question =
			ssh_userauth_kbdint_getprompt(login->session, (unsigned int)i, &echo);

		if (question == NULL)
			return SSH_AUTH_ERROR;
		/* The server's words may hold control characters for the terminal. */
		text_printable(shown, sizeof(shown), question, strlen(question));
		prompt = memory_format("(%s@%s) %s", login->config->user, login->config->name,
				       shown);
		if (i == 0 && instruction != NULL && *instruction != '\0')
			log_debug("'%s' says: %s", login->config->name, instruction);
		if (!ask(login, prompt, echo != 0, &answer))
			return SSH_AUTH_ERROR;
		if (ssh_userauth_kbdint_setanswer(login->session, (unsigned int)i,
						  text_string(&answer)) < 0)
			return SSH_AUTH_ERROR;
	}
	return SSH_AUTH_SUCCESS;
}

static int try_interactive(struct login *login)
{
	int result = SSH_AUTH_DENIED;

	for (int i = 0; i < login->config->password_prompts && result == SSH_AUTH_DENIED; i++) {
		result = ssh_userauth_kbdint(login->session, NULL, NULL);
		while (result == SSH_AUTH_INFO) {
			result = answer_questions(login);
			if (result == SSH_AUTH_SUCCESS)
				result = ssh_userauth_kbdint(login->session, NULL, NULL);
		}
	}
	note(login, "questions", "");
	return result;
}

static int try_password(struct login *login)
{
	CLEANUP(memory_release)
	char *prompt =
		memory_format("%s@%s's password: ", login->config->user, login->config->name);
	int result = SSH_AUTH_DENIED;

	for (int i = 0; i < login->config->password_prompts && result == SSH_AUTH_DENIED; i++) {
		CLEANUP(forget) struct text password = { 0 };

		if (!ask(login, prompt, false, &password))
			return SSH_AUTH_ERROR;
		result = ssh_userauth_password(login->session, NULL, text_string(&password));
	}
	note(login, "password", "");
	return result;
}

static const struct method {
	int mask;
	bool asks;
	size_t enabled; /* the flag of struct ssh_config */
	int (*run)(struct login *login);
} methods[] = {
	{ SSH_AUTH_METHOD_PUBLICKEY, false, offsetof(struct ssh_config, public_key),
	  try_public_key },
	{ SSH_AUTH_METHOD_INTERACTIVE, true, offsetof(struct ssh_config, interactive),
	  try_interactive },
	{ SSH_AUTH_METHOD_PASSWORD, true, offsetof(struct ssh_config, password), try_password },
};

/* A partial success only shortens the list that the server offers. */
static int try_methods(struct login *login)
{
	int result = ssh_userauth_none(login->session, NULL);

	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		const bool *enabled =
			(const bool *)((const char *)login->config + methods[i].enabled);

		if (result != SSH_AUTH_DENIED && result != SSH_AUTH_PARTIAL)
			return result;
		if (*enabled && offered(login, methods[i].mask) &&
		    (login->may_ask || !methods[i].asks))
			result = methods[i].run(login);
	}
	return result;
}

int ssh_auth_login(const struct ssh_config *config, ssh_session session, struct error *err)
{
	struct login login = { .config = config, .session = session };
	CLEANUP(memory_release) char *tried = NULL;
	int result;

	login.may_ask = !config->batch_mode && terminal_present();
	result = try_methods(&login);
	tried = text_take(&login.tried);
	if (result == SSH_AUTH_SUCCESS)
		return 0;
	if (login.failure.exit_status == EXIT_INTERRUPTED) {
		*err = login.failure;
		return -1;
	}
	if (result == SSH_AUTH_ERROR || result == SSH_AUTH_AGAIN)
		return error_exit(err, EXIT_CONNECT, "cannot log in to '%s' as '%s': %s",
				  config->name, config->user,
				  result == SSH_AUTH_AGAIN ? "it does not answer"
							   : ssh_get_error(session));
	return error_exit(err, EXIT_CONNECT,
			  "'%s' refused the login of '%s' (tried: %s): add a public key of this "
			  "node to its authorized_keys, say with 'ssh-copy-id %s@%s'",
			  config->name, config->user,
			  *tried != '\0' ? tried : "nothing, there is no agent and no key file",
			  config->user, config->name);
}
