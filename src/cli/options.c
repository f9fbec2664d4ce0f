// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for reading the command line by the table of options. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/option_rules.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/requests.h"

#define TIMEOUT_DEFAULT 30

/* getopt's value for a row without a letter. */
#define LONG_ONLY 256

/* The row of getopt's value; option_count when there is none. */
static size_t find_row(int value)
{
	size_t i = 0;

	while (i < option_count &&
	       value != (option_rows[i].letter != 0 ? option_rows[i].letter : LONG_ONLY + (int)i))
		i++;
	return i;
}

/* Rows without help are other names of the one before. */
static size_t first_name(size_t row)
{
	while (row > 0 && option_rows[row].help == NULL)
		row--;
	return row;
}

bool options_given(const struct options *options, const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if (strcmp(option_rows[i].name, name) == 0)
			return (options->given & 1ULL << first_name(i)) != 0;
	abort();
}

static struct option *build_tables(struct text *letters)
{
	static const int has_argument[] = {
		[TAKES_NOTHING] = no_argument,
		[TAKES_WORD] = required_argument,
		[TAKES_WORD_OR_NOTHING] = optional_argument,
	};
	static const char *const colons[] = {
		[TAKES_NOTHING] = "",
		[TAKES_WORD] = ":",
		[TAKES_WORD_OR_NOTHING] = "::",
	};
	struct option *longs = memory_allocate(option_count + 1, sizeof(*longs));

	/* The colon: what is wrong is ours to say. */
	text_append(letters, ":", 1);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];

		longs[i] = (struct option){
			.name = row->name,
			.has_arg = has_argument[row->takes],
			.val = row->letter != 0 ? row->letter : LONG_ONLY + (int)i,
		};
		if (row->letter != 0)
			text_format(letters, "%c%s", row->letter, colons[row->takes]);
	}
	return longs;
}

/* What getopt did not accept: the word itself, since an abbreviation may be ambiguous. */
static int refuse(int value, char **argv, struct error *err)
{
	const char *word = argv[optind - 1];
	size_t length = strcspn(word, "=");
	int matches = 0;

	if (value == ':')
		return error_exit(err, EXIT_USAGE, "the option '%s' wants an argument", word);
	if (optopt != 0 && optopt < LONG_ONLY && find_row(optopt) == option_count)
		return error_exit(err, EXIT_USAGE, "unknown option '-%c'", optopt);
	if (optopt != 0)
		return error_exit(err, EXIT_USAGE, "the option '%.*s' takes no argument",
				  (int)length, word);
	for (size_t i = 0; length > 2 && i < option_count; i++)
		matches += strncmp(option_rows[i].name, word + 2, length - 2) == 0;
	return error_exit(err, EXIT_USAGE, "%s option '%.*s'",
			  matches > 1 ? "ambiguous" : "unknown", (int)length, word);
}

static int take_option(struct options *options, size_t i, struct error *err)
{
	const struct option_row *row = &option_rows[i];

	options->given |= 1ULL << first_name(i);
	if (row->set != NULL)
		return row->set(options, optarg, err);
	*(bool *)(void *)((char *)options + row->flag) = true;
	return 0;
}

static int parse_destination(struct options *options, int argc, char **argv, struct error *err)
{
	if (optind >= argc)
		return error_exit(err, EXIT_USAGE,
				  "destination and container are missing; see vzmigrate --help");
	if (destination_parse(&options->migration.destination, argv[optind], err) < 0)
		return -1;
	optind++;
	if (optind >= argc)
		return error_exit(err, EXIT_USAGE,
				  "the container is missing after the destination '%s'; see "
				  "vzmigrate --help",
				  argv[optind - 1]);
	return 0;
}

/* The words that are no options: the destination, unless the journals tell it, and containers. */
static int parse_words(struct options *options, int argc, char **argv, struct error *err)
{
	if (options->mode == MODE_MIGRATE && parse_destination(options, argc, argv, err) < 0)
		return -1;
	for (int i = optind; i < argc; i++)
		if (requests_add(options, argv[i], err) < 0)
			return -1;
	return requests_check(options, err);
}

static void free_longs(struct option **longs)
{
	free(*longs);
}

int options_parse(struct options *options, int argc, char **argv, struct error *err)
{
	CLEANUP(text_release) struct text letters = { 0 };
	CLEANUP(free_longs) struct option *longs = build_tables(&letters);
	int value;

	options->migration.timeout_seconds = TIMEOUT_DEFAULT;
	options->migration.remove_area = true;
	options->parallel = 1;
	opterr = 0;
	optind = 0; /* from the start, also after a run that was given up */
	while ((value = getopt_long(argc, argv, text_string(&letters), longs, NULL)) != -1) {
		size_t row = find_row(value);

		if (row == option_count)
			return refuse(value, argv, err);
		if (take_option(options, row, err) < 0)
			return -1;
		if (options->mode == MODE_HELP || options->mode == MODE_VERSION)
			return 0;
	}
	if (option_rules_check(options, err) < 0)
		return -1;
	return parse_words(options, argc, argv, err);
}

void options_release(struct options *options)
{
	destination_release(&options->migration.destination);
	ssh_options_release(&options->migration.ssh);
	words_release(&options->migration.rsync);
	words_release(&options->migration.skipped);
	requests_release(options);
}

static void describe_row(struct text *left, const struct option_row *row)
{
	if (row->letter != 0)
		text_format(left, "-%c, ", row->letter);
	text_format(left, "--%s", row->name);
	if (row->takes == TAKES_WORD)
		text_format(left, "=%s", row->argument);
	else if (row->takes == TAKES_WORD_OR_NOTHING)
		text_format(left, "[=%s]", row->argument);
}

void options_print_help(FILE *stream)
{
	fputs("usage: vzmigrate [options] [user@]destination[:port] "
	      "CTID[:newCTID[:private[:root]]]...\n"
	      "       vzmigrate --recover [--abort] [CTID...]\n"
	      "Moves containers from this node to another.\n\n",
	      stream);
	for (size_t i = 0; i < option_count; i++) {
		CLEANUP(text_release) struct text left = { 0 };

		if (option_rows[i].help == NULL)
			continue;
		describe_row(&left, &option_rows[i]);
		if (i + 1 < option_count && option_rows[i + 1].help == NULL)
			text_format(&left, ", --%s", option_rows[i + 1].name);
		fprintf(stream, "  %-26s %s\n", text_string(&left), option_rows[i].help);
	}
	fputs("\nThe exit status tells scripts what happened: see vzmigrate(8).\n", stream);
}
