// SPDX-License-Identifier: GPL-2.0-or-later
/* How failures are worded, nested, cut and numbered. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "unit.h"

static void sentence_and_status(void **state)
{
	struct error err = { .exit_status = EXIT_COPY };

	(void)state;
	assert_int_equal(error_set(&err, "cannot find '%s'", "web"), -1);
	assert_string_equal(err.text, "cannot find 'web'");
	assert_int_equal(err.exit_status, 0);
	assert_int_equal(error_exit(&err, EXIT_NOTEXIST, "no container '%d'", 101), -1);
	assert_string_equal(err.text, "no container '101'");
	assert_int_equal(err.exit_status, EXIT_NOTEXIST);
}

static void system_error_keeps_errno(void **state)
{
	struct error err = { 0 };

	(void)state;
	errno = ENOENT;
	assert_int_equal(error_system(&err, "cannot open '%s'", "/x"), -1);
	assert_string_equal(err.text, "cannot open '/x': No such file or directory");
	assert_int_equal(errno, ENOENT);
	assert_int_equal(err.exit_status, 0);
}

static void context_goes_outside_and_keeps_the_status(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_exit(&err, EXIT_VE_START, "criu failed");
	assert_int_equal(error_context(&err, "cannot restore '%s' on %s", "web", "host2"), -1);
	assert_string_equal(err.text, "cannot restore 'web' on host2: criu failed");
	assert_int_equal(err.exit_status, EXIT_VE_START);
}

static void default_status_is_only_a_default(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, "x");
	assert_int_equal(error_default(&err, EXIT_COPY), -1);
	assert_int_equal(err.exit_status, EXIT_COPY);
	error_default(&err, EXIT_USAGE);
	assert_int_equal(err.exit_status, EXIT_COPY);
}

/* No byte of a UTF-8 character may stay behind without the rest of it. */
static void assert_whole_characters(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
		int more = *at < 0x80 ? 0 : *at >= 0xe0 ? 2 : 1;

		assert_true(*at < 0x80 || *at >= 0xc2);
		at++;
		for (; more > 0; more--, at++)
			assert_int_equal(*at & 0xc0, 0x80);
	}
}

static void long_sentences_are_cut_at_a_character(void **state)
{
	char text[3000];
	struct error err = { 0 };

	(void)state;
	for (size_t start = 0; start < 3; start++) {
		memset(text, 'a', start);
		for (size_t i = start; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		error_set(&err, "%s", text);
		assert_in_range(strlen(err.text), sizeof(err.text) - 4, sizeof(err.text) - 1);
		assert_whole_characters(err.text);
		error_context(&err, "outside");
		assert_memory_equal(err.text, "outside: ", 9);
		assert_in_range(strlen(err.text), sizeof(err.text) - 4, sizeof(err.text) - 1);
		assert_whole_characters(err.text);
		errno = EIO;
		error_system(&err, "%s", text);
		assert_in_range(strlen(err.text), sizeof(err.text) - 4, sizeof(err.text) - 1);
	}
}

static void published_names(void **state)
{
	(void)state;
	assert_string_equal(exit_status_name(0), "EXIT_OK");
	assert_string_equal(exit_status_name(6), "EXIT_COPY");
	assert_string_equal(exit_status_name(25), "EXIT_INTERRUPTED");
	assert_string_equal(exit_status_name(110), "EXIT_UNRESOLVED");
	assert_string_equal(exit_status_name(3), "EXIT_UNKNOWN");
	assert_string_equal(exit_status_name(-1), "EXIT_UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentence_and_status),
		cmocka_unit_test(system_error_keeps_errno),
		cmocka_unit_test(context_goes_outside_and_keeps_the_status),
		cmocka_unit_test(default_status_is_only_a_default),
		cmocka_unit_test(long_sentences_are_cut_at_a_character),
		cmocka_unit_test(published_names),
	};

	return RUN_ALL(tests);
}
