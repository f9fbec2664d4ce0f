// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading the destination and the text of --ssh. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "system/ssh_options.h"

/* The longest name that DNS allows, and what useradd(8) and LDAP stay far below. */
#define HOST_LIMIT 255
#define USER_LIMIT 255

/* As much of a longer one as a sentence shows. */
#define SHOWN_LIMIT 40

/* What ssh(1) itself refuses in a user's name: it reaches shells in Match exec and ProxyCommand. */
#define USER_REFUSED "'`\";&<>|(){}\\$"

static bool has_blank_or_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (isspace((unsigned char)*text) || iscntrl((unsigned char)*text))
			return true;
	return false;
}

static int check_user(const char *user, const char *text, struct error *err)
{
	if (*user == '\0')
		return error_exit(err, EXIT_USAGE, "the user before '@' is missing in '%s'", text);
	if (strlen(user) > USER_LIMIT)
		return error_exit(err, EXIT_USAGE,
				  "the user '%.*s...' is longer than %d characters", SHOWN_LIMIT,
				  user, USER_LIMIT);
	if (*user == '-' || has_blank_or_control(user) || strpbrk(user, USER_REFUSED) != NULL)
		return error_exit(err, EXIT_USAGE, "'%s' cannot be the name of a user", user);
	return 0;
}

static int check_host(const char *host, const char *text, struct error *err)
{
	if (*host == '\0')
		return error_exit(err, EXIT_USAGE, "the destination host is missing in '%s'", text);
	if (strlen(host) > HOST_LIMIT)
		return error_exit(err, EXIT_USAGE,
				  "the destination host '%.*s...' is longer than %d characters",
				  SHOWN_LIMIT, host, HOST_LIMIT);
	if (*host == '-' || has_blank_or_control(host) ||
	    strpbrk(host, "'`\"$\\;&<>|(){},/@[]") != NULL)
		return error_exit(err, EXIT_USAGE, "'%s' cannot be the name of a host", host);
	return 0;
}

static int parse_port(const char *digits, int *port, const char *text, struct error *err)
{
	char *end;
	long number = strtol(digits, &end, 10);

	if (!isdigit((unsigned char)*digits) || *end != '\0' || number < 1 || number > 65535)
		return error_exit(err, EXIT_USAGE,
				  "'%s' in '%s' is no port: a number from 1 to 65535 is", digits,
				  text);
	*port = (int)number;
	return 0;
}

/* What follows the user: "[v6]", "[v6]:port", "v6", "host" or "host:port". */
static int parse_host_port(struct destination *destination, const char *from, const char *text,
			   struct error *err)
{
	const char *colon = strrchr(from, ':');
	const char *end = from + strlen(from);

	if (*from == '[') {
		const char *bracket = strchr(++from, ']');

		if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
			return error_exit(err, EXIT_USAGE, "the brackets in '%s' do not match",
					  text);
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
		end = bracket;
	} else if (colon != NULL && strchr(from, ':') != colon) {
		colon = NULL; /* two colons: an IPv6 address without a port */
	} else if (colon != NULL) {
		end = colon;
	}
	destination->host = memory_format("%.*s", (int)(end - from), from);
	if (check_host(destination->host, text, err) < 0)
		return -1;
	return colon != NULL ? parse_port(colon + 1, &destination->port, text, err) : 0;
}

int destination_parse(struct destination *destination, const char *text, struct error *err)
{
	const char *at = strrchr(text, '@');
	int result = 0;

	*destination = (struct destination){ 0 };
	if (at != NULL) {
		destination->user = memory_format("%.*s", (int)(at - text), text);
		result = check_user(destination->user, text, err);
	}
	if (result == 0)
		result = parse_host_port(destination, at != NULL ? at + 1 : text, text, err);
	if (result < 0)
		destination_release(destination);
	return result;
}

char *destination_text(const struct destination *destination)
{
	bool brackets = strchr(destination->host, ':') != NULL;
	CLEANUP(text_release) struct text text = { 0 };

	if (destination->user != NULL)
		text_format(&text, "%s@", destination->user);
	text_format(&text, "%s%s%s", brackets ? "[" : "", destination->host, brackets ? "]" : "");
	if (destination->port != 0)
		text_format(&text, ":%d", destination->port);
	return text_take(&text);
}

void destination_release(struct destination *destination)
{
	free(destination->user);
	free(destination->host);
	*destination = (struct destination){ 0 };
}

/* Is it `-o NAME=value` or `-o "NAME value"`? ssh compares without regard to case. */
static bool option_names(const char *value, const char *name)
{
	size_t length = strlen(name);

	value += strspn(value, " \t");
	return strncasecmp(value, name, length) == 0 && strchr(" \t=", value[length]) != NULL;
}

static int check_value(char letter, const char *value, struct error *err)
{
	int port;

	if (letter == 'p')
		return parse_port(value, &port, "--ssh", err);
	if (letter == 'l')
		return check_user(value, "--ssh", err);
	if (*value == '\0')
		return error_exit(err, EXIT_USAGE, "the value of '-%c' in --ssh is empty", letter);
	return 0;
}

static int add_value(struct ssh_options *options, char letter, const char *value, struct error *err)
{
	if (check_value(letter, value, err) < 0)
		return -1;
	if (letter == 'c' || (letter == 'o' && option_names(value, "Ciphers")))
		options->ciphers = true;
	words_format(&options->words, "-%c", letter);
	words_add(&options->words, value);
	return 0;
}

/* One word that starts with '-': flags, then perhaps an option that takes the rest or `next`. */
static int parse_word(struct ssh_options *options, const char *word, const char *next,
		      bool *next_used, struct error *err)
{
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		if (strchr("C46", *letter) != NULL) {
			words_format(&options->words, "-%c", *letter);
		} else if (strchr("pilocFJmbB", *letter) != NULL) {
			if (letter[1] != '\0')
				return add_value(options, *letter, letter + 1, err);
			if (next == NULL)
				return error_exit(err, EXIT_USAGE,
						  "the option '-%c' in --ssh lacks its value",
						  *letter);
			*next_used = true;
			return add_value(options, *letter, next, err);
		} else if (strchr("qvxaTnk", *letter) == NULL) {
			return error_exit(err, EXIT_USAGE,
					  "the option '%s' in --ssh is not supported", word);
		}
	}
	return 0;
}

int ssh_options_parse(struct ssh_options *options, const char *text, struct error *err)
{
	CLEANUP(words_release) struct words words = { 0 };

	if (words_split(&words, text, err) < 0) {
		error_context(err, "--ssh");
		return error_default(err, EXIT_USAGE);
	}
	for (size_t i = 0; i < words.count; i++) {
		bool next_used = false;

		if (words.items[i][0] != '-' || words.items[i][1] == '\0' ||
		    words.items[i][1] == '-')
			return error_exit(err, EXIT_USAGE,
					  "'%s' in --ssh is no option of ssh (the host is the "
					  "destination's, and no command is taken)",
					  words.items[i]);
		if (parse_word(options, words.items[i], words.items[i + 1], &next_used, err) < 0)
			return -1;
		i += next_used;
	}
	return 0;
}

void ssh_options_release(struct ssh_options *options)
{
	words_release(&options->words);
	*options = (struct ssh_options){ 0 };
}
