// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for asking ssh what its configuration says. */
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "system/ssh_config.h"

/* `ssh -G` answers in 15 ms; a Match exec of the admin's configuration may take longer. */
#define RESOLVE_TIMEOUT_MS 10000

enum kind { TEXT, NUMBER, FLAG, WORD, WORDS };

#define FIELD(name, kind, member)                                                                  \
	{                                                                                          \
		name, kind, offsetof(struct ssh_config, member)                                    \
	}

/* Keywords as `ssh -G` prints them that are taken over as they are. */
static const struct field {
	const char *name;
	enum kind kind;
	size_t offset;
} fields[] = {
	FIELD("hostname", TEXT, host),
	FIELD("user", TEXT, user),
	FIELD("port", NUMBER, port),
	FIELD("connecttimeout", NUMBER, connect_timeout),
	FIELD("bindaddress", TEXT, bind_address),
	FIELD("bindinterface", TEXT, bind_interface),
	FIELD("proxyjump", TEXT, proxy_jump),
	FIELD("proxycommand", TEXT, proxy_command),
	FIELD("identityfile", WORD, identity_files),
	FIELD("certificatefile", WORD, certificate_files),
	FIELD("identitiesonly", FLAG, identities_only),
	FIELD("identityagent", TEXT, identity_agent),
	FIELD("userknownhostsfile", WORDS, user_known_hosts),
	FIELD("globalknownhostsfile", WORDS, global_known_hosts),
	FIELD("hostkeyalias", TEXT, host_key_alias),
	FIELD("batchmode", FLAG, batch_mode),
	FIELD("pubkeyauthentication", FLAG, public_key),
	FIELD("passwordauthentication", FLAG, password),
	FIELD("kbdinteractiveauthentication", FLAG, interactive),
	FIELD("challengeresponseauthentication", FLAG, interactive), /* OpenSSH before 8.7 */
	FIELD("numberofpasswordprompts", NUMBER, password_prompts),
	FIELD("ciphers", TEXT, ciphers),
	FIELD("kexalgorithms", TEXT, kex),
	FIELD("hostkeyalgorithms", TEXT, host_keys),
	FIELD("pubkeyacceptedalgorithms", TEXT, public_keys),
	FIELD("pubkeyacceptedkeytypes", TEXT, public_keys), /* OpenSSH before 8.5 */
	FIELD("macs", TEXT, macs),
	FIELD("requiredrsasize", NUMBER, rsa_bits),
};

static void take_words(struct words *words, char *value)
{
	for (char *word; (word = strsep(&value, " ")) != NULL;)
		if (*word != '\0')
			words_add(words, word);
}

static void take_field(struct ssh_config *config, const struct field *field, char *value)
{
	void *member = (char *)config + field->offset;

	switch (field->kind) {
	case TEXT:
		free(*(char **)member);
		*(char **)member = memory_duplicate(value);
		break;
	case NUMBER:
		*(int *)member = (int)strtol(value, NULL, 10); /* "none" is 0 */
		break;
	case FLAG:
		*(bool *)member = strcmp(value, "yes") == 0 || strcmp(value, "true") == 0;
		break;
	case WORD:
		words_add(member, value);
		break;
	case WORDS:
		take_words(member, value);
		break;
	}
}

static void take_strict(struct ssh_config *config, const char *value)
{
	if (strcmp(value, "yes") == 0 || strcmp(value, "true") == 0)
		config->strict = SSH_STRICT_YES;
	else if (strcmp(value, "ask") == 0)
		config->strict = SSH_STRICT_ASK;
	else
		config->strict = SSH_STRICT_ACCEPT_NEW;
}

static bool list_names(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; (at = strstr(at, name)) != NULL; at++)
		if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

/* Keywords that need more than being copied. */
static int take_special(struct ssh_config *config, const char *name, char *value, struct error *err)
{
	if (strcmp(name, "stricthostkeychecking") == 0)
		take_strict(config, value);
	else if (strcmp(name, "addressfamily") == 0)
		config->family = strcmp(value, "inet") == 0    ? AF_INET
				 : strcmp(value, "inet6") == 0 ? AF_INET6
							       : AF_UNSPEC;
	else if (strcmp(name, "compression") == 0)
		/* OpenSSH 10 says "UNKNOWN" of its own option -C. */
		config->compression = strcmp(value, "no") != 0;
	else if (strcmp(name, "rekeylimit") == 0) {
		char *rest;

		config->rekey_bytes = strtoull(value, &rest, 10);
		config->rekey_seconds = (unsigned int)strtoul(rest, NULL, 10);
	} else if (strcmp(name, "preferredauthentications") == 0) {
		config->public_key = config->public_key && list_names(value, "publickey");
		config->password = config->password && list_names(value, "password");
		config->interactive =
			config->interactive && list_names(value, "keyboard-interactive");
	} else if (strcmp(name, "revokedhostkeys") == 0 && strcmp(value, "none") != 0)
		return error_exit(err, EXIT_CONNECT,
				  "cannot connect to '%s': ssh's configuration has "
				  "RevokedHostKeys, which vzmigrate cannot check; use @revoked "
				  "lines in known_hosts",
				  config->name);
	return 0;
}

static int take_lines(struct ssh_config *config, char *lines, struct error *err)
{
	for (char *line; (line = strsep(&lines, "\n")) != NULL;) {
		char *value = line;
		char *name = strsep(&value, " ");

		if (value == NULL)
			continue;
		for (size_t i = 0; i < COUNT_OF(fields); i++)
			if (strcmp(fields[i].name, name) == 0)
				take_field(config, &fields[i], value);
		if (take_special(config, name, value, err) < 0)
			return -1;
	}
	return 0;
}

static int run_ssh(struct words *argv, struct text *output, struct error *err)
{
	struct process_options options = { PROCESS_DEFAULTS };

	options.argv = (const char *const *)argv->items;
	if (process_run(&options, RESOLVE_TIMEOUT_MS, output, err) == 0)
		return 0;
	if (err->exit_status == EXIT_RUNTIME)
		return error_exit(err, EXIT_RUNTIME,
				  "cannot find the program 'ssh' on PATH, which reads its "
				  "configuration for vzmigrate: install openssh-client");
	return error_default(err, EXIT_USAGE);
}

/* Puts the fast ciphers first, unless somebody chose an order: then the list differs from ssh's. */
static int prefer_fast_ciphers(struct ssh_config *config, struct error *err)
{
	static const char *const fast[] = { "aes128-gcm@openssh.com", "aes256-gcm@openssh.com" };
	static const char *const arguments[] = {
		"ssh", "-G", "-F", "none", "--", "localhost", NULL
	};
	CLEANUP(words_release) struct words argv = { 0 };
	CLEANUP(text_release) struct text output = { 0 };
	CLEANUP(text_release) struct text list = { 0 };
	CLEANUP(memory_release) char *line = NULL;

	words_add_all(&argv, arguments);
	if (config->ciphers == NULL)
		return 0;
	if (run_ssh(&argv, &output, err) < 0)
		return -1;
	line = memory_format("\nciphers %s\n", config->ciphers);
	if (strstr(text_string(&output), line) == NULL)
		return 0;
	for (size_t i = 0; i < COUNT_OF(fast); i++)
		if (list_names(config->ciphers, fast[i]))
			text_format(&list, "%s,", fast[i]);
	text_format(&list, "%s", config->ciphers);
	free(config->ciphers);
	config->ciphers = text_take(&list);
	return 0;
}

static void drop_none(char **value)
{
	if (*value != NULL && strcmp(*value, "none") == 0)
		memory_release(value);
}

static void build_command(struct words *argv, const struct destination *destination,
			  const struct ssh_options *options)
{
	words_add(argv, "ssh");
	words_add(argv, "-G");
	/* Of several -p and -l the first counts: what the destination says. */
	if (destination->port > 0)
		words_format(argv, "-p%d", destination->port);
	if (destination->user != NULL) {
		words_add(argv, "-l");
		words_add(argv, destination->user);
	}
	if (options != NULL)
		words_extend(argv, &options->words);
	words_add(argv, "--");
	words_add(argv, destination->host);
}

int ssh_config_resolve(struct ssh_config *config, const struct destination *destination,
		       const struct ssh_options *options, struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	CLEANUP(text_release) struct text output = { 0 };

	*config = (struct ssh_config){
		.name = memory_duplicate(destination->host),
		.strict = SSH_STRICT_ASK,
		.public_key = true,
		.password = true,
		.interactive = true,
		.password_prompts = 3,
	};
	build_command(&argv, destination, options);
	for (size_t i = 0; options != NULL && i + 1 < options->words.count; i++)
		if (strcmp(options->words.items[i], "-F") == 0 && config->config_file == NULL)
			config->config_file = memory_duplicate(options->words.items[i + 1]);
	if (run_ssh(&argv, &output, err) < 0 ||
	    take_lines(config, output.bytes != NULL ? output.bytes : argv.items[0], err) < 0)
		return -1;
	if (config->host == NULL || config->user == NULL || config->port <= 0)
		return error_exit(err, EXIT_RUNTIME, "'ssh -G' said nothing about '%s'",
				  destination->host);
	drop_none(&config->proxy_jump);
	drop_none(&config->proxy_command);
	if (options != NULL && options->ciphers)
		return 0;
	return prefer_fast_ciphers(config, err);
}

static const char *home_directory(void)
{
	const struct passwd *entry = getpwuid(geteuid());

	if (entry != NULL && entry->pw_dir != NULL)
		return entry->pw_dir;
	return getenv("HOME") != NULL ? getenv("HOME") : "/";
}

static void expand_letter(const struct ssh_config *config, char letter, struct text *to)
{
	const struct passwd *entry;

	switch (letter) {
	case 'h':
		text_format(to, "%s", config->host);
		break;
	case 'n':
		text_format(to, "%s", config->name);
		break;
	case 'p':
		text_format(to, "%d", config->port);
		break;
	case 'r':
		text_format(to, "%s", config->user);
		break;
	case 'd':
		text_format(to, "%s", home_directory());
		break;
	case 'u':
		entry = getpwuid(geteuid());
		text_format(to, "%s", entry != NULL ? entry->pw_name : "");
		break;
	case '%':
		text_format(to, "%%");
		break;
	default:
		text_format(to, "%%%c", letter);
	}
}

char *ssh_config_expand(const struct ssh_config *config, const char *word)
{
	struct text expanded = { 0 };

	if (text_starts_with(word, "~/"))
		text_format(&expanded, "%s", home_directory()), word++;
	for (; *word != '\0'; word++) {
		if (*word == '%' && word[1] != '\0')
			expand_letter(config, *++word, &expanded);
		else
			text_append(&expanded, word, 1);
	}
	return text_take(&expanded);
}

void ssh_config_release(struct ssh_config *config)
{
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		void *member = (char *)config + fields[i].offset;

		if (fields[i].kind == TEXT)
			memory_release(member);
		else if (fields[i].kind == WORD || fields[i].kind == WORDS)
			words_release(member);
	}
	memory_release(&config->name);
	memory_release(&config->config_file);
	*config = (struct ssh_config){ 0 };
}
