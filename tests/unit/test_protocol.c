// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commit protocol with the product's own decisions, whatever happens: every order of acts, kills,
 * power losses, cuts, lost requests and answers, failures and recoveries, as often as one likes. And
 * that it would be noticed if it were wrong: other decisions and other orders are.
 */
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "protocol_explore.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const state_words[JOURNAL_STATES] = {
	[JOURNAL_ABSENT] = "absent",	   [JOURNAL_BEGUN] = "begun",
	[JOURNAL_FROZEN] = "frozen",	   [JOURNAL_HELD] = "held",
	[JOURNAL_COMMITTED] = "committed", [JOURNAL_TOLD] = "told",
	[JOURNAL_RUNNING] = "running",	   [JOURNAL_MOVED] = "moved",
	[JOURNAL_KEPT] = "kept",	   [JOURNAL_UNKNOWN] = "unknown",
};

static const char *const kind_words[] = { "online", "with a restart", "shut down", "stopped" };

/* The one decision that is not the product's; -1: none. */
struct replacement {
	int source;
	int destination;
	int dump;
	int own;
	int instead;
};

#define NO_REPLACEMENT                                                                             \
	{                                                                                          \
		-1, -1, -1, -1, -1                                                                 \
	}

static struct replacement replacement = NO_REPLACEMENT;
static bool consulted[JOURNAL_STATES][JOURNAL_STATES];

static enum settlement settle(enum journal_state source, enum journal_state destination)
{
	consulted[source][destination] = true;
	if (replacement.source == (int)source && replacement.destination == (int)destination)
		return (enum settlement)replacement.instead;
	return protocol_settle(source, destination);
}

static enum orphan decide_orphan(bool dump, enum journal_state own)
{
	if (replacement.dump == (int)dump && replacement.own == (int)own)
		return (enum orphan)replacement.instead;
	return protocol_orphan(dump, own);
}

static const char *try(struct exploration *exploration, struct protocol protocol, enum kind kind)
{
	struct model model = { .protocol = protocol, .kind = kind };

	model.protocol.settle = settle;
	model.protocol.orphan = decide_orphan;
	return explore(exploration, &model);
}

static void note_work(const struct exploration *exploration, bool *acts, bool *done)
{
	for (uint32_t i = 0; i < exploration->count; i++)
		for (int node = SOURCE; node <= DESTINATION; node++) {
			acts[exploration->places[i].world.sites[node].work] = true;
			done[exploration->places[i].world.sites[node].step] = true;
		}
}

static void try_product(enum kind kind, struct protocol protocol, bool *acts, bool *done)
{
	struct exploration exploration;
	const char *wrong = try(&exploration, protocol, kind);

	print_message("# %s%s%s: %u worlds, each also without further faults, %u\n",
		      kind_words[kind], protocol.keeps ? ", --keep-dst" : "",
		      protocol.places_late ? ", all files looked at after the dump" : "",
		      exploration.worlds, exploration.count - exploration.worlds);
	if (wrong != NULL) {
		print_message("# %s:\n", wrong);
		print_story(&exploration, exploration.where);
	}
	note_work(&exploration, acts, done);
	exploration_release(&exploration);
	if (wrong != NULL)
		fail_msg("%s: %s", kind_words[kind], wrong);
}

static void test_product(void **state)
{
	bool acts[WORKS] = { false };
	bool done[STEPS] = { false };

	(void)state;
	memset(consulted, 0, sizeof(consulted));
	for (int kind = KIND_ONLINE; kind <= KIND_STOPPED; kind++) {
		try_product((enum kind)kind, (struct protocol){ 0 }, acts, done);
		try_product((enum kind)kind, (struct protocol){ .keeps = true }, acts, done);
	}
	try_product(KIND_ONLINE, (struct protocol){ .places_late = true }, acts, done);
	/* Nothing is right because it never happens. */
	for (int act = WORK_NONE + 1; act < WORKS; act++)
		if (!acts[act])
			fail_msg("nobody ever %s", works[act].words);
	for (int step = STEP_NONE + 1; step < STEPS; step++)
		if (!done[step])
			fail_msg("nobody's step is ever '%s'", steps[step].words);
}

/* What no run leads to is there for journals that a person has removed or copied, or it says WAIT. */
static void test_table_is_used(void **state)
{
	static const struct {
		enum journal_state source;
		enum journal_state destination;
	} unused[] = {
		/* A node that nothing is left on. */
		{ JOURNAL_ABSENT, JOURNAL_ABSENT },
		{ JOURNAL_ABSENT, JOURNAL_KEPT },
		{ JOURNAL_UNKNOWN, JOURNAL_KEPT },
		/* The other node has taken it back by the time it says what it has. */
		{ JOURNAL_BEGUN, JOURNAL_BEGUN },
		{ JOURNAL_FROZEN, JOURNAL_BEGUN },
		/* The source's journal was removed by hand. */
		{ JOURNAL_ABSENT, JOURNAL_TOLD },
		{ JOURNAL_ABSENT, JOURNAL_RUNNING },
	};
	bool known[JOURNAL_STATES][JOURNAL_STATES] = { { false } };

	(void)state;
	for (size_t i = 0; i < COUNT(unused); i++)
		known[unused[i].source][unused[i].destination] = true;
	for (int i = 0; i < JOURNAL_STATES; i++)
		for (int j = 0; j < JOURNAL_STATES; j++) {
			bool decides = protocol_settle((enum journal_state)i,
						       (enum journal_state)j) != SETTLE_WAIT;

			if (consulted[i][j] && known[i][j])
				fail_msg("%s, %s does occur", state_words[i], state_words[j]);
			if (decides && !consulted[i][j] && !known[i][j])
				fail_msg("%s, %s never occurs", state_words[i], state_words[j]);
		}
}

static void expect_wrong(struct protocol protocol, enum kind kind, const char *what)
{
	struct exploration exploration;
	const char *wrong = try(&exploration, protocol, kind);

	exploration_release(&exploration);
	replacement = (struct replacement)NO_REPLACEMENT;
	if (wrong == NULL)
		fail_msg("nothing is wrong when %s", what);
}

static void test_other_settlements(void **state)
{
	static const struct {
		enum journal_state source;
		enum journal_state destination;
		enum settlement instead;
		enum kind kind;
	} others[] = {
		{ JOURNAL_ABSENT, JOURNAL_BEGUN, SETTLE_WAIT, KIND_RESTART },
		{ JOURNAL_ABSENT, JOURNAL_HELD, SETTLE_FORWARD, KIND_ONLINE },
		{ JOURNAL_ABSENT, JOURNAL_HELD, SETTLE_NOTHING, KIND_ONLINE },
		{ JOURNAL_BEGUN, JOURNAL_ABSENT, SETTLE_NOTHING, KIND_RESTART },
		{ JOURNAL_BEGUN, JOURNAL_KEPT, SETTLE_NOTHING, KIND_RESTART },
		{ JOURNAL_BEGUN, JOURNAL_UNKNOWN, SETTLE_FINISH, KIND_RESTART },
		{ JOURNAL_BEGUN, JOURNAL_HELD, SETTLE_WAIT, KIND_ONLINE },
		{ JOURNAL_FROZEN, JOURNAL_ABSENT, SETTLE_WAIT, KIND_ONLINE },
		{ JOURNAL_FROZEN, JOURNAL_HELD, SETTLE_FORWARD, KIND_ONLINE },
		{ JOURNAL_FROZEN, JOURNAL_UNKNOWN, SETTLE_FINISH, KIND_ONLINE },
		{ JOURNAL_COMMITTED, JOURNAL_ABSENT, SETTLE_FORWARD, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_ABSENT, SETTLE_FINISH, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_BEGUN, SETTLE_FORWARD, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_BEGUN, SETTLE_WAIT, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_HELD, SETTLE_UNDO, KIND_ONLINE },
		{ JOURNAL_COMMITTED, JOURNAL_HELD, SETTLE_FINISH, KIND_ONLINE },
		{ JOURNAL_COMMITTED, JOURNAL_TOLD, SETTLE_REGAIN, KIND_ONLINE },
		{ JOURNAL_COMMITTED, JOURNAL_TOLD, SETTLE_WAIT, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_RUNNING, SETTLE_UNDO, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_RUNNING, SETTLE_REGAIN, KIND_ONLINE },
		{ JOURNAL_COMMITTED, JOURNAL_RUNNING, SETTLE_FINISH, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_KEPT, SETTLE_FORWARD, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_UNKNOWN, SETTLE_UNDO, KIND_ONLINE },
		{ JOURNAL_COMMITTED, JOURNAL_UNKNOWN, SETTLE_REGAIN, KIND_RESTART },
		{ JOURNAL_COMMITTED, JOURNAL_UNKNOWN, SETTLE_FINISH, KIND_ONLINE },
		{ JOURNAL_MOVED, JOURNAL_ABSENT, SETTLE_REGAIN, KIND_RESTART },
		{ JOURNAL_MOVED, JOURNAL_ABSENT, SETTLE_NOTHING, KIND_RESTART },
		{ JOURNAL_MOVED, JOURNAL_TOLD, SETTLE_UNDO, KIND_STOPPED },
		{ JOURNAL_MOVED, JOURNAL_RUNNING, SETTLE_UNDO, KIND_ONLINE },
		{ JOURNAL_MOVED, JOURNAL_UNKNOWN, SETTLE_UNDO, KIND_RESTART },
		{ JOURNAL_UNKNOWN, JOURNAL_BEGUN, SETTLE_FORWARD, KIND_RESTART },
		{ JOURNAL_UNKNOWN, JOURNAL_HELD, SETTLE_UNDO, KIND_ONLINE },
		{ JOURNAL_UNKNOWN, JOURNAL_HELD, SETTLE_FORWARD, KIND_ONLINE },
		{ JOURNAL_UNKNOWN, JOURNAL_TOLD, SETTLE_UNDO, KIND_ONLINE },
		{ JOURNAL_UNKNOWN, JOURNAL_TOLD, SETTLE_WAIT, KIND_ONLINE },
		{ JOURNAL_UNKNOWN, JOURNAL_RUNNING, SETTLE_UNDO, KIND_RESTART },
		{ JOURNAL_UNKNOWN, JOURNAL_RUNNING, SETTLE_NOTHING, KIND_RESTART },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		struct protocol protocol = {
			.keeps = others[i].destination == JOURNAL_KEPT,
		};
		char what[80];

		assert_int_not_equal(others[i].instead,
				     protocol_settle(others[i].source, others[i].destination));
		replacement.source = (int)others[i].source;
		replacement.destination = (int)others[i].destination;
		replacement.instead = (int)others[i].instead;
		snprintf(what, sizeof(what), "%s, %s is settled by %d",
			 state_words[others[i].source], state_words[others[i].destination],
			 (int)others[i].instead);
		expect_wrong(protocol, others[i].kind, what);
	}
}

static void test_other_orphans(void **state)
{
	static const struct {
		bool dump;
		enum journal_state own;
		enum orphan instead;
	} others[] = {
		{ true, JOURNAL_BEGUN, ORPHAN_PROCEEDS },
		{ true, JOURNAL_BEGUN, ORPHAN_WAITS },
		{ true, JOURNAL_FROZEN, ORPHAN_PROCEEDS },
		{ true, JOURNAL_FROZEN, ORPHAN_WAITS },
		{ true, JOURNAL_COMMITTED, ORPHAN_PROCEEDS },
		{ true, JOURNAL_COMMITTED, ORPHAN_REFUSES },
		{ true, JOURNAL_MOVED, ORPHAN_REFUSES },
		{ false, JOURNAL_BEGUN, ORPHAN_WAITS },
		{ false, JOURNAL_HELD, ORPHAN_REFUSES },
		{ false, JOURNAL_TOLD, ORPHAN_REFUSES },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		char what[80];

		assert_int_not_equal(others[i].instead,
				     protocol_orphan(others[i].dump, others[i].own));
		replacement.dump = others[i].dump;
		replacement.own = (int)others[i].own;
		replacement.instead = (int)others[i].instead;
		snprintf(what, sizeof(what), "an orphaned %s decides %d in %s",
			 others[i].dump ? "dump" : "restore", (int)others[i].instead,
			 state_words[others[i].own]);
		expect_wrong((struct protocol){ 0 }, KIND_ONLINE, what);
	}
}

/* Each is one that somebody could hold to be right; some of them somebody did. */
static void test_other_orders(void **state)
{
	static const struct {
		const char *what;
		struct protocol protocol;
		enum kind kind;
	} others[] = {
		{ "it tells before it commits", { .tells_before_commit = true }, KIND_ONLINE },
		{ "'committed' is not synced", { .commits_unsynced = true }, KIND_RESTART },
		{ "'told' is not synced", { .tells_unsynced = true }, KIND_STOPPED },
		{ "'running' is not synced", { .runs_unsynced = true }, KIND_RESTART },
		{ "it runs before that is noted", { .runs_before_note = true }, KIND_RESTART },
		{ "it is told over 'running'", { .tells_over_running = true }, KIND_RESTART },
		{ "the copy is not fenced", { .places_unfenced = true }, KIND_ONLINE },
		{ "the copy is synced at the end", { .syncs_late = true }, KIND_ONLINE },
		{ "it regains before the rollback", { .regains_first = true }, KIND_ONLINE },
		{ "it is gone though it ran", { .gone_after_running = true }, KIND_RESTART },
		{ "'told' is rolled back as it is", { .rolls_back_told = true }, KIND_RESTART },
		{ "nobody looks at the hook",
		  { .commits_unseen = true, .places_late = true },
		  KIND_ONLINE },
		{ "the source is not fenced", { .commits_unfenced = true }, KIND_ONLINE },
		{ "an agent drops what is held", { .agent_drops_held = true }, KIND_ONLINE },
		{ "it finishes before 'moved'", { .finishes_first = true }, KIND_RESTART },
		{ "it finishes without 'moved'", { .finishes_unnoted = true }, KIND_RESTART },
		{ "it thaws before criu's end", { .thaws_early = true }, KIND_ONLINE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		expect_wrong(others[i].protocol, others[i].kind, others[i].what);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_product),		  cmocka_unit_test(test_table_is_used),
		cmocka_unit_test(test_other_settlements), cmocka_unit_test(test_other_orphans),
		cmocka_unit_test(test_other_orders),
	};

	return RUN_ALL(tests);
}
