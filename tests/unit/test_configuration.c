// SPDX-License-Identifier: GPL-2.0-or-later
/* The node's configuration: what REMOVEMIGRATED says, and what it may not say. */
#include <string.h>
#include <sys/stat.h>

#include "cli/configuration.h"
#include "temporary.h"

static void assert_read(const char *text, bool before, bool after)
{
	CLEANUP(memory_release) char *path = put_file("vz.conf", text);
	struct error err = { 0 };
	bool remove = before;

	if (configuration_read(path, &remove, &err) < 0)
		fail_msg("'%s': %s", text, err.text);
	if (remove != after)
		fail_msg("'%s' is taken for %s", text, remove ? "yes" : "no");
}

static void test_values(void **state)
{
	(void)state;
	assert_read("REMOVEMIGRATED=no\n", true, false);
	assert_read("REMOVEMIGRATED=yes\n", false, true);
	assert_read("REMOVEMIGRATED=\"no\"\n", true, false);
	assert_read("REMOVEMIGRATED='yes'", false, true);
	assert_read("  REMOVEMIGRATED=No \r\n", true, false);
	assert_read("REMOVEMIGRATED=no\t# we don't\n", true, false);
	assert_read("LOGGING=yes\nREMOVEMIGRATED=yes\nREMOVEMIGRATED=no\nVE_ROOT=/vz\n", true,
		    false);
}

static void test_other_lines_do_not_count(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"#REMOVEMIGRATED=no\n",
		"REMOVEMIGRATED_=no\n",
		"MYREMOVEMIGRATED=no\n",
		"removemigrated=no\n",
		"VE_PRIVATE=/vz/private/$VEID\nIPTABLES=\"an open quote\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_read(texts[i], true, true);
		assert_read(texts[i], false, false);
	}
}

static void test_other_values_are_refused(void **state)
{
	static const char *const texts[] = {
		"REMOVEMIGRATED=\n",	  "REMOVEMIGRATED=''\n",  "REMOVEMIGRATED=maybe\n",
		"REMOVEMIGRATED=yesno\n", "REMOVEMIGRATED='no\n", "REMOVEMIGRATED=$(reboot)\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		CLEANUP(memory_release) char *path = put_file("vz.conf", texts[i]);
		struct error err = { 0 };
		bool remove = true;

		if (configuration_read(path, &remove, &err) == 0)
			fail_msg("'%s' was taken", texts[i]);
		assert_int_equal(err.exit_status, EXIT_USAGE);
		assert_non_null(strstr(err.text, "REMOVEMIGRATED"));
		assert_non_null(strstr(err.text, path));
	}
}

static void test_no_file_is_fine_and_no_text_is_not(void **state)
{
	CLEANUP(memory_release) char *missing = in_temporary("missing");
	struct error err = { 0 };
	bool remove = true;

	(void)state;
	assert_int_equal(configuration_read(missing, &remove, &err), 0);
	assert_true(remove);
	assert_int_equal(configuration_read(temporary, &remove, &err), -1);
	assert_int_equal(err.exit_status, EXIT_USAGE);
	assert_non_null(strstr(err.text, temporary));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_values),
		FILE_TEST(test_other_lines_do_not_count),
		FILE_TEST(test_other_values_are_refused),
		FILE_TEST(test_no_file_is_fine_and_no_text_is_not),
	};

	return RUN_ALL(tests);
}
