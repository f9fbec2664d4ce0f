// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for which options go together. */
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "cli/option_rules.h"
#include "cli/option_table.h"

enum relation {
	NEEDS,
	EXCLUDES,
};

static const struct {
	const char *option;
	enum relation relation;
	const char *other;
	const char *why; /* NULL: it is plain */
} rules[] = {
	{ "noiter", NEEDS, "online", NULL },
	{ "lazy", NEEDS, "online", NULL },
	{ "require-realtime", NEEDS, "online", NULL },
	{ "max-downtime", NEEDS, "online", NULL },
	{ "throttle", NEEDS, "online", NULL },
	{ "noiter", EXCLUDES, "require-realtime", NULL },
	{ "noiter", EXCLUDES, "throttle", "only iterations wait for it" },
	{ "noiter", EXCLUDES, "max-downtime", "the limit is reached by iterating" },
	{ "nostart", EXCLUDES, "online", "what moves live does not stop" },
	{ "readonly", EXCLUDES, "online", "a copy is left stopped" },
	{ "readonly", EXCLUDES, "remove-area", "a copy leaves the source as it is" },
	{ "abort", NEEDS, "recover", NULL },
};

static int check_rule(const struct options *options, size_t i, struct error *err)
{
	bool other = options_given(options, rules[i].other);

	if (!options_given(options, rules[i].option) || other == (rules[i].relation == NEEDS))
		return 0;
	if (rules[i].relation == NEEDS)
		return error_exit(err, EXIT_USAGE, "--%s goes only with --%s", rules[i].option,
				  rules[i].other);
	return error_exit(err, EXIT_USAGE, "--%s and --%s exclude each other%s%s", rules[i].option,
			  rules[i].other, rules[i].why != NULL ? ": " : "",
			  rules[i].why != NULL ? rules[i].why : "");
}

/* Of the options of a migration only those about the connection and the output mean something. */
static int check_recover(const struct options *options, struct error *err)
{
	for (size_t i = 0; i < option_count; i++)
		if ((options->given & 1ULL << i) != 0 && !option_rows[i].recovers)
			return error_exit(err, EXIT_USAGE,
					  "--%s and --recover exclude each other: --recover "
					  "settles what was begun as it was begun",
					  option_rows[i].name);
	return 0;
}

int option_rules_check(const struct options *options, struct error *err)
{
	if (options->mode == MODE_RECOVER && check_recover(options, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if (check_rule(options, i, err) < 0)
			return -1;
	return 0;
}
