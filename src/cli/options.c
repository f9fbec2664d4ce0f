// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the command line: the table of options and what each sets. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/options.h"
#include "runtime/runtime.h"

#define TIMEOUT_DEFAULT 30
#define TIMEOUT_MOST 3600

struct option_row {
	char letter; /* 0: long only */
	const char *name;
	const char *argument; /* as --help shows it; NULL: takes none */
	int (*set)(struct options *options, const char *argument, struct error *err);
	const char *help; /* NULL: another name of the row before */
};

static int set_online(struct options *options, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	options->migration.online = true;
	return 0;
}

static int set_remove_area(struct options *options, const char *argument, struct error *err)
{
	if (strcmp(argument, "yes") != 0 && strcmp(argument, "no") != 0)
		return error_exit(err, EXIT_USAGE, "--remove-area is 'yes' or 'no', not '%s'",
				  argument);
	options->migration.remove_area = strcmp(argument, "yes") == 0;
	options->remove_area_given = true;
	return 0;
}

static int set_ssh(struct options *options, const char *argument, struct error *err)
{
	return ssh_options_parse(&options->migration.ssh, argument, err);
}

static int set_rsync(struct options *options, const char *argument, struct error *err)
{
	if (words_split(&options->migration.rsync, argument, err) < 0) {
		error_context(err, "--rsync");
		return error_default(err, EXIT_USAGE);
	}
	for (size_t i = 0; i < options->migration.rsync.count; i++)
		if (options->migration.rsync.items[i][0] != '-')
			return error_exit(err, EXIT_USAGE,
					  "--rsync takes options only, and '%s' is none",
					  options->migration.rsync.items[i]);
	return 0;
}

static int set_keep_destination(struct options *options, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	options->migration.keep_destination = true;
	return 0;
}

static int set_timeout(struct options *options, const char *argument, struct error *err)
{
	char *end;
	long seconds;

	errno = 0;
	seconds = strtol(argument, &end, 10);
	if (errno != 0 || end == argument || *end != '\0' || seconds < 1 || seconds > TIMEOUT_MOST)
		return error_exit(err, EXIT_USAGE,
				  "--timeout is a number of seconds from 1 to %d, not '%s'",
				  TIMEOUT_MOST, argument);
	options->migration.timeout_seconds = (int)seconds;
	return 0;
}

static int set_runtime(struct options *options, const char *argument, struct error *err)
{
	const struct runtime *runtime = runtime_by_name(argument);

	if (runtime == NULL)
		return error_exit(err, EXIT_USAGE, "there is no runtime '%s'", argument);
	options->migration.runtime = runtime->name;
	return 0;
}

static int set_verbose(struct options *options, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	options->verbosity++;
	return 0;
}

static int set_times(struct options *options, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	options->times = true;
	return 0;
}

static int set_help(struct options *options, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	options->mode = MODE_HELP;
	return 0;
}

static int set_version(struct options *options, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	options->mode = MODE_VERSION;
	return 0;
}

static const struct option_row rows[] = {
	{ 0, "online", NULL, set_online, "live: processes, memory and open connections move" },
	{ 0, "live", NULL, set_online, NULL },
	{ 'r', "remove-area", "yes|no", set_remove_area,
	  "remove the source's container (yes) or leave it as .migrated" },
	{ 0, "ssh", "OPTIONS", set_ssh, "options as for ssh(1), split as a shell would" },
	{ 0, "rsync", "OPTIONS", set_rsync, "options added to rsync(1)" },
	{ 0, "keep-dst", NULL, set_keep_destination,
	  "after a failure keep the copied files there for the next attempt" },
	{ 0, "timeout", "SECONDS", set_timeout, "a peer silent for this long is lost (30)" },
	{ 0, "runtime", "NAME", set_runtime, "whose container it is: lxc" },
	{ 't', "times", NULL, set_times, "print how long each step and the stop took" },
	{ 'v', "verbose", NULL, set_verbose, "say what is done; twice: what the programs print" },
	{ 'h', "help", NULL, set_help, "this text" },
	{ 0, "version", NULL, set_version, "the program's version" },
};

/* getopt's value for a row without a letter. */
#define LONG_ONLY 256

static const struct option_row *find_row(int value)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (value == (rows[i].letter != 0 ? rows[i].letter : LONG_ONLY + (int)i))
			return &rows[i];
	return NULL;
}

static void build_tables(struct text *letters, struct option *longs)
{
	/* The colon: what is wrong is ours to say. */
	text_append(letters, ":", 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument != NULL ? required_argument : no_argument,
			.val = rows[i].letter != 0 ? rows[i].letter : LONG_ONLY + (int)i,
		};
		if (rows[i].letter != 0)
			text_format(letters, "%c%s", rows[i].letter,
				    rows[i].argument != NULL ? ":" : "");
	}
}

/* What getopt did not accept: the word itself, since an abbreviation may be ambiguous. */
static int refuse(int value, char **argv, struct error *err)
{
	const char *word = argv[optind - 1];
	size_t length = strcspn(word, "=");
	int matches = 0;

	if (value == ':')
		return error_exit(err, EXIT_USAGE, "the option '%s' wants an argument", word);
	if (optopt != 0 && optopt < LONG_ONLY && find_row(optopt) == NULL)
		return error_exit(err, EXIT_USAGE, "unknown option '-%c'", optopt);
	if (optopt != 0)
		return error_exit(err, EXIT_USAGE, "the option '%.*s' takes no argument",
				  (int)length, word);
	for (size_t i = 0; length > 2 && i < COUNT_OF(rows); i++)
		matches += strncmp(rows[i].name, word + 2, length - 2) == 0;
	return error_exit(err, EXIT_USAGE, "%s option '%.*s'",
			  matches > 1 ? "ambiguous" : "unknown", (int)length, word);
}

static int parse_words(struct options *options, int argc, char **argv, struct error *err)
{
	if (optind >= argc)
		return error_exit(err, EXIT_USAGE,
				  "destination and container are missing; see vzmigrate --help");
	if (destination_parse(&options->migration.destination, argv[optind], err) < 0)
		return -1;
	if (optind + 1 >= argc)
		return error_exit(err, EXIT_USAGE,
				  "the container is missing after the destination '%s'; see "
				  "vzmigrate --help",
				  argv[optind]);
	for (int i = optind + 1; i < argc; i++) {
		if (container_check_id(argv[i], err) < 0)
			return error_default(err, EXIT_USAGE);
		words_add(&options->containers, argv[i]);
	}
	return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct error *err)
{
	struct option longs[COUNT_OF(rows) + 1] = { 0 };
	CLEANUP(text_release) struct text letters = { 0 };
	int value;

	options->migration.timeout_seconds = TIMEOUT_DEFAULT;
	options->migration.remove_area = true;
	build_tables(&letters, longs);
	opterr = 0;
	optind = 0; /* from the start, also after a run that was given up */
	while ((value = getopt_long(argc, argv, text_string(&letters), longs, NULL)) != -1) {
		const struct option_row *row = find_row(value);

		if (row == NULL)
			return refuse(value, argv, err);
		if (row->set(options, optarg, err) < 0)
			return -1;
		if (options->mode != MODE_MIGRATE)
			return 0;
	}
	return parse_words(options, argc, argv, err);
}

void options_release(struct options *options)
{
	destination_release(&options->migration.destination);
	ssh_options_release(&options->migration.ssh);
	words_release(&options->migration.rsync);
	words_release(&options->containers);
}

void options_print_help(FILE *stream)
{
	fputs("usage: vzmigrate [options] [user@]destination[:port] CTID...\n"
	      "Moves containers from this node to another.\n\n",
	      stream);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CLEANUP(text_release) struct text left = { 0 };

		if (rows[i].help == NULL)
			continue;
		if (rows[i].letter != 0)
			text_format(&left, "-%c, ", rows[i].letter);
		text_format(&left, "--%s", rows[i].name);
		if (rows[i].argument != NULL)
			text_format(&left, "=%s", rows[i].argument);
		if (i + 1 < COUNT_OF(rows) && rows[i + 1].help == NULL)
			text_format(&left, ", --%s", rows[i + 1].name);
		fprintf(stream, "  %-26s %s\n", text_string(&left), rows[i].help);
	}
	fputs("\nThe exit status tells scripts what happened: see vzmigrate(8).\n", stream);
}
