// SPDX-License-Identifier: GPL-2.0-or-later
/* What is shown of foreign texts: whole characters stay, everything else is a question mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cli/printable.h"

static void test_made(void **state)
{
	static const struct {
		const char *given;
		const char *shown;
	} cases[] = {
		{ "", "" },
		{ "plain text, 'quoted'", "plain text, 'quoted'" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82",
		  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82" },
		{ "a\nb\rc\td\033[2J\x7f", "a?b?c?d?[2J?" },
		{ "\xc2\x9b"
		  "2J\xc2\x80\xc2\xa0",
		  "?2J?\xc2\xa0" },
		{ "\xff\xfe\x80", "???" },
		{ "cut \xe2\x82", "cut ??" },
		{ "\xc0\xaf\xc1\xbf", "????" },
		{ "\xe0\x80\xaf", "???" },
		{ "\xed\xa0\x80", "???" },
		{ "\xf0\x80\x80\xaf", "????" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\xf5\x80\x80\x80", "????" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(memory_release) char *text = memory_duplicate(cases[i].given);

		printable_make(text);
		assert_string_equal(text, cases[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
