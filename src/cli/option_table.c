// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for the options: their names, words and what each sets. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "node/check.h"
#include "cli/option_table.h"
#include "cli/units.h"
#include "runtime/runtime.h"

#define TIMEOUT_MOST 3600
/* Each has a session of its own, and sshd drops logins when more than ten are under way. */
#define PARALLEL_MOST 10

static int set_remove_area(struct options *options, const char *argument, struct error *err)
{
	if (strcmp(argument, "yes") != 0 && strcmp(argument, "no") != 0)
		return error_exit(err, EXIT_USAGE, "--remove-area is 'yes' or 'no', not '%s'",
				  argument);
	options->migration.remove_area = strcmp(argument, "yes") == 0;
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

/* What would be overwritten or torn apart is protected whatever the admin says. */
static int skip_check(struct words *skipped, const char *name, struct error *err)
{
	if (!check_is_selector(name))
		return error_exit(err, EXIT_USAGE, "--nodeps knows no check '%s'", name);
	if (check_is_safety(name))
		return error_exit(err, EXIT_USAGE,
				  "the check '%s' is never skipped: --nodeps cannot have it", name);
	words_add(skipped, name);
	return 0;
}

static int set_nodeps(struct options *options, const char *argument, struct error *err)
{
	CLEANUP(memory_release) char *copy = memory_duplicate(argument != NULL ? argument : "all");
	char *rest = copy;

	while (rest != NULL)
		if (skip_check(&options->migration.skipped, strsep(&rest, ","), err) < 0)
			return -1;
	return 0;
}

static int set_bandwidth_limit(struct options *options, const char *argument, struct error *err)
{
	if (units_parse_rate(argument, &options->migration.bandwidth_limit) < 0)
		return error_exit(err, EXIT_USAGE,
				  "--bwlimit is bytes a second like 800K, 10M or 1.5G, not '%s'",
				  argument);
	return 0;
}

static int set_max_downtime(struct options *options, const char *argument, struct error *err)
{
	if (units_parse_time(argument, &options->migration.max_downtime_ms) < 0)
		return error_exit(err, EXIT_USAGE,
				  "--max-downtime is a time like 300ms or 2s, not '%s'", argument);
	return 0;
}

static int set_timeout(struct options *options, const char *argument, struct error *err)
{
	int64_t seconds;

	if (units_parse_number(argument, 1, TIMEOUT_MOST, &seconds) < 0)
		return error_exit(err, EXIT_USAGE,
				  "--timeout is a number of seconds from 1 to %d, not '%s'",
				  TIMEOUT_MOST, argument);
	options->migration.timeout_seconds = (int)seconds;
	return 0;
}

static int set_parallel(struct options *options, const char *argument, struct error *err)
{
	int64_t number;

	if (units_parse_number(argument, 1, PARALLEL_MOST, &number) < 0)
		return error_exit(err, EXIT_USAGE, "--parallel is a number from 1 to %d, not '%s'",
				  PARALLEL_MOST, argument);
	options->parallel = (int)number;
	return 0;
}

static int set_runtime(struct options *options, const char *argument, struct error *err)
{
	const char *name = runtime_known_name(argument);

	if (name == NULL)
		return error_exit(err, EXIT_USAGE, "there is no runtime '%s'", argument);
	options->migration.runtime = name;
	return 0;
}

static int set_verbose(struct options *options, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	options->verbosity++;
	return 0;
}

static int set_recover(struct options *options, const char *argument, struct error *err)
{
	(void)argument;
	(void)err;
	options->mode = MODE_RECOVER;
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

#define FLAG(member) TAKES_NOTHING, NULL, .flag = offsetof(struct options, member)
#define WORD(argument, function) TAKES_WORD, argument, .set = function
#define ACT(function) TAKES_NOTHING, NULL, .set = function

const struct option_row option_rows[] = {
	{ 0, "online", FLAG(migration.online),
	  .help = "live: processes, memory and open connections move" },
	{ 0, "live", FLAG(migration.online) },
	{ 0, "noiter", FLAG(migration.no_iterations),
	  .help = "live with one dump instead of iterations" },
	{ 0, "lazy", FLAG(migration.lazy), .help = "live, and memory follows on demand" },
	{ 0, "require-realtime", FLAG(migration.require_realtime),
	  .help = "live by iterations or not at all" },
	{ 0, "max-downtime", WORD("TIME", set_max_downtime),
	  .help = "iterate until the stop is expected to be shorter" },
	{ 0, "throttle", FLAG(migration.throttle),
	  .help = "slow it down where it changes memory faster than that is copied" },
	{ 'r', "remove-area", WORD("yes|no", set_remove_area),
	  .help = "remove the source's container (yes) or leave it as .migrated" },
	{ 's', "nostart", FLAG(migration.no_start),
	  .help = "leave a container that ran stopped on the destination" },
	{ 0, "readonly", FLAG(migration.read_only),
	  .help = "copy only: the source stays as it is, the copy is stopped" },
	{ 0, "keep-dst", FLAG(migration.keep_destination),
	  .help = "after a failure keep the copied files there for the next attempt" },
	{ 0, "dry-run", FLAG(migration.check_only),
	  .help = "check both nodes, print the verdicts, change nothing" },
	{ 0, "check-only", FLAG(migration.check_only) },
	{ 'f', "nodeps", TAKES_WORD_OR_NOTHING, "CHECK,...", .set = set_nodeps,
	  .help = "skip checks: all, cpu_check, disk_space, technologies, ..." },
	{ 0, "ssh", WORD("OPTIONS", set_ssh), .recovers = true,
	  .help = "options as for ssh(1), split as a shell would" },
	{ 0, "rsync", WORD("OPTIONS", set_rsync), .help = "options added to rsync(1)" },
	{ 0, "bwlimit", WORD("RATE", set_bandwidth_limit),
	  .help = "bytes a second (K, M, G) before the container is stopped" },
	{ 0, "parallel", WORD("N", set_parallel), .help = "move up to N containers at once" },
	{ 0, "timeout", WORD("SECONDS", set_timeout), .recovers = true,
	  .help = "a peer silent for this long is lost (30)" },
	{ 0, "runtime", WORD("NAME", set_runtime),
	  .help = "whose container it is: lxc, runc, crun, oci, bundle" },
	{ 0, "recover", ACT(set_recover), .recovers = true,
	  .help = "settle migrations that were interrupted at the switch" },
	{ 0, "abort", FLAG(abort), .recovers = true,
	  .help = "with --recover: take back rather than finish" },
	{ 'b', "batch", FLAG(batch), .recovers = true,
	  .help = "JSON, one object a line, instead of text" },
	{ 't', "times", FLAG(times), .help = "print how long each step and the stop took" },
	{ 'v', "verbose", ACT(set_verbose), .recovers = true,
	  .help = "say what is done; twice: what the programs print" },
	{ 'h', "help", ACT(set_help), .recovers = true, .help = "this text" },
	{ 0, "version", ACT(set_version), .recovers = true, .help = "the program's version" },
};

const size_t option_count = COUNT_OF(option_rows);

_Static_assert(COUNT_OF(option_rows) <= 64, "struct options has a bit for each");
