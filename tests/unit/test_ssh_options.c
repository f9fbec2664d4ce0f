// SPDX-License-Identifier: GPL-2.0-or-later
/* What is taken for a destination and for --ssh, and what is refused with which sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "system/ssh_options.h"

static void destinations_are_parsed(void **state)
{
	static const struct {
		const char *text, *user, *host;
		int port;
	} rows[] = {
		{ "host2", NULL, "host2", 0 },
		{ "host2.example.org:2222", NULL, "host2.example.org", 2222 },
		{ "admin@192.0.2.7", "admin", "192.0.2.7", 0 },
		{ "a.b@corp@host2:1", "a.b@corp", "host2", 1 },
		{ "::1", NULL, "::1", 0 },
		{ "root@fe80::1%eth0", "root", "fe80::1%eth0", 0 },
		{ "[::1]", NULL, "::1", 0 },
		{ "root@[2001:db8::2]:65535", "root", "2001:db8::2", 65535 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CLEANUP(destination_release) struct destination destination = { 0 };
		struct error err = { 0 };

		if (destination_parse(&destination, rows[i].text, &err) < 0)
			fail_msg("'%s': %s", rows[i].text, err.text);
		if (rows[i].user != NULL)
			assert_string_equal(destination.user, rows[i].user);
		else
			assert_null(destination.user);
		assert_string_equal(destination.host, rows[i].host);
		assert_int_equal(destination.port, rows[i].port);
	}
}

static void bad_destinations_are_refused(void **state)
{
	static const struct {
		const char *text, *named;
	} rows[] = {
		{ "", "missing" },	  { "@host", "user" },	       { "-oProxyCommand=x", "-o" },
		{ "u@-h", "'-h'" },	  { "-u@h", "'-u'" },	       { "h:0", "'0'" },
		{ "h:65536", "'65536'" }, { "h:22x", "'22x'" },	       { "h:", "''" },
		{ "h: 22", "' 22'" },	  { "[::1", "brackets" },      { "[::1]x", "brackets" },
		{ "a b", "'a b'" },	  { "h\n", "name of a host" }, { "h;id", "'h;id'" },
		{ "u$x@h", "'u$x'" },	  { "[]", "missing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CLEANUP(destination_release) struct destination destination = { 0 };
		struct error err = { 0 };

		if (destination_parse(&destination, rows[i].text, &err) == 0)
			fail_msg("'%s' was taken", rows[i].text);
		assert_int_equal(err.exit_status, EXIT_USAGE);
		if (strstr(err.text, rows[i].named) == NULL)
			fail_msg("'%s': %s", rows[i].text, err.text);
		assert_null(destination.host);
	}
}

static void options_are_parsed(void **state)
{
	static const char *const expected[] = {
		"-p", "2222",	  "-i", "/a b", "-o", "BatchMode=yes", "-4", "-C", "-l", "u",
		"-J", "u@j:22,k", "-F", "/x",	"-o", "Port 22",       NULL
	};
	CLEANUP(ssh_options_release) struct ssh_options options = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(ssh_options_parse(&options,
					   "-p2222 -i '/a b' -oBatchMode=yes -q -4vCl u -x "
					   "-J u@j:22,k",
					   &err),
			 0);
	assert_int_equal(ssh_options_parse(&options, "-F /x -o 'Port 22'", &err), 0);
	for (size_t i = 0; expected[i] != NULL; i++)
		assert_string_equal(options.words.items[i], expected[i]);
	assert_int_equal(options.words.count, COUNT_OF(expected) - 1);
	assert_false(options.ciphers);
}

static void chosen_ciphers_are_noticed(void **state)
{
	static const char *const texts[] = { "-c aes128-ctr", "-caes128-ctr", "-o Ciphers=x",
					     "-oCIPHERS=x", "-o 'ciphers x'" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		CLEANUP(ssh_options_release) struct ssh_options options = { 0 };
		struct error err = { 0 };

		assert_int_equal(ssh_options_parse(&options, texts[i], &err), 0);
		assert_true(options.ciphers);
	}
}

static void bad_options_are_refused(void **state)
{
	static const struct {
		const char *text, *named;
	} rows[] = {
		{ "host2", "'host2'" }, { "-p 22 host2", "'host2'" },
		{ "-p", "'-p'" },	{ "-p x", "'x'" },
		{ "-N", "'-N'" },	{ "-qN", "'-qN'" },
		{ "-L 1:a:2", "'-L'" }, { "-i 'x", "quote" },
		{ "-o ''", "'-o'" },	{ "--", "'--'" },
		{ "-", "'-'" },		{ "-l -x", "'-x'" },
		{ "-W h:22", "'-W'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CLEANUP(ssh_options_release) struct ssh_options options = { 0 };
		struct error err = { 0 };

		if (ssh_options_parse(&options, rows[i].text, &err) == 0)
			fail_msg("'%s' was taken", rows[i].text);
		assert_int_equal(err.exit_status, EXIT_USAGE);
		if (strstr(err.text, rows[i].named) == NULL)
			fail_msg("'%s': %s", rows[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destinations_are_parsed),
		cmocka_unit_test(bad_destinations_are_refused),
		cmocka_unit_test(options_are_parsed),
		cmocka_unit_test(chosen_ciphers_are_noticed),
		cmocka_unit_test(bad_options_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
