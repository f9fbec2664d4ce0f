// SPDX-License-Identifier: GPL-2.0-or-later
/* Growing text, lists of words, splitting and quoting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "unit.h"

static void text_grows(void **state)
{
	CLEANUP(text_release) struct text text = { 0 };
	char *taken;

	(void)state;
	assert_string_equal(text_string(&text), "");
	for (int i = 0; i < 1000; i++)
		text_format(&text, "%d,", i);
	assert_int_equal(text.length, strlen(text_string(&text)));
	assert_true(text_starts_with(text_string(&text), "0,1,2,"));
	assert_true(text_ends_with(text_string(&text), ",998,999,"));
	text_clear(&text);
	assert_string_equal(text_string(&text), "");
	text_append(&text, "a\0b", 3);
	assert_int_equal(text.length, 3);
	assert_memory_equal(text.bytes, "a\0b", 4);
	text_format(&text, "%s", "");
	assert_int_equal(text.length, 3);
	taken = text_take(&text);
	assert_memory_equal(taken, "a\0b", 4);
	free(taken);
	taken = text_take(&text);
	assert_string_equal(taken, "");
	free(taken);
}

static void words_are_a_null_terminated_vector(void **state)
{
	CLEANUP(words_release) struct words words = { 0 };
	CLEANUP(words_release) struct words more = { 0 };
	static const char *const list[] = { "c", "d", NULL };

	(void)state;
	words_add(&words, "a");
	words_format(&words, "%s=%d", "b", 2);
	words_add_all(&more, list);
	words_extend(&words, &more);
	assert_int_equal(words.count, 4);
	assert_string_equal(words.items[1], "b=2");
	assert_string_equal(words.items[3], "d");
	assert_null(words.items[4]);
}

static const struct {
	const char *line;
	const char *words[6];
} splits[] = {
	{ "", { NULL } },
	{ " \t\n ", { NULL } },
	{ "-p 2222", { "-p", "2222", NULL } },
	{ "  a\tb\nc  ", { "a", "b", "c", NULL } },
	{ "''", { "", NULL } },
	{ "a''b \"\" c", { "ab", "", "c", NULL } },
	{ "'a b' \"c d\"", { "a b", "c d", NULL } },
	{ "-o'Proxy Command'=\"x y\"z", { "-oProxy Command=x yz", NULL } },
	{ "'a\"b' \"a'b\"", { "a\"b", "a'b", NULL } },
	{ "'a\\b' \"a\\b\" a\\b", { "a\\b", "a\\b", "ab", NULL } },
	{ "\"\\\"\\$\\`\\\\\" \\ \\'", { "\"$`\\", " '", NULL } },
	{ "$HOME `x` * ; | & > $(x)", { "$HOME", "`x`", "*", ";", "|", NULL } },
	{ "\xc3\xa4 \"\xe2\x82\xac \"", { "\xc3\xa4", "\xe2\x82\xac ", NULL } },
};

static void split_as_a_shell_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(splits); i++) {
		CLEANUP(words_release) struct words words = { 0 };
		struct error err = { 0 };

		assert_int_equal(words_split(&words, splits[i].line, &err), 0);
		for (size_t k = 0; k < 5; k++) {
			if (splits[i].words[k] == NULL) {
				assert_int_equal(words.count, k);
				break;
			}
			assert_true(words.count > k);
			assert_string_equal(words.items[k], splits[i].words[k]);
		}
	}
}

static void open_quotes_are_errors(void **state)
{
	static const char *const lines[] = { "'",    "\"",	"\\",  "a 'b",	 "a \"b\\",
					     "\"a'", "'a\\'b'", "x\\", "\"\\\"", "a'" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		CLEANUP(words_release) struct words words = { 0 };
		struct error err = { 0 };

		assert_int_equal(words_split(&words, lines[i], &err), -1);
		assert_non_null(strstr(err.text, "unfinished quote"));
	}
}

static void plain_words_are_quoted_only_where_needed(void **state)
{
	static const char *const list[] = {
		"rsync", "-e", "a b", "", "it's", "x=/y:z@1", "$x", NULL
	};
	CLEANUP(memory_release) char *line = words_quote(list);

	(void)state;
	assert_string_equal(line, "rsync -e 'a b' '' 'it'\\''s' x=/y:z@1 '$x'");
}

/* Whatever the words are, what words_quote() writes is what words_split() reads. */
static void quoting_round_trips(void **state)
{
	static const char alphabet[] = "ab'\"\\ $`\t\n*#~!-=\xc3\xa4";
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		CLEANUP(words_release) struct words words = { 0 };
		CLEANUP(words_release) struct words again = { 0 };
		CLEANUP(memory_release) char *line = NULL;
		struct error err = { 0 };
		int count = 1 + rand_r(&seed) % 4;

		for (int i = 0; i < count; i++) {
			char word[9] = "";
			int length = rand_r(&seed) % 8;

			for (int k = 0; k < length; k++)
				word[k] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
			words_add(&words, word);
		}
		line = words_quote((const char *const *)(void *)words.items);
		assert_int_equal(words_split(&again, line, &err), 0);
		assert_int_equal(again.count, words.count);
		for (size_t i = 0; i < words.count; i++)
			assert_string_equal(again.items[i], words.items[i]);
	}
}

/* And what a shell reads. */
static void a_shell_reads_what_we_quote(void **state)
{
	static const char *const list[] = { "printf", "<%s>", "it's", "$HOME", "`x`", "a\\b",
					    "",	      "a\nb", "*",    "~",     "#x",  NULL };
	CLEANUP(memory_release) char *line = words_quote(list);
	char output[200] = "";
	FILE *shell;

	(void)state;
	shell = popen(line, "r");
	assert_non_null(shell);
	assert_true(fread(output, 1, sizeof(output) - 1, shell) > 0);
	assert_int_equal(pclose(shell), 0);
	assert_string_equal(output, "<it's><$HOME><`x`><a\\b><><a\nb><*><~><#x>");
}

static void strip_and_compare(void **state)
{
	char line[] = " \t a b \r\n";
	char blank[] = " \n";

	(void)state;
	assert_string_equal(text_strip(line), "a b");
	assert_string_equal(text_strip(blank), "");
	assert_true(text_starts_with("lxc.net", "lxc."));
	assert_true(text_starts_with("x", ""));
	assert_false(text_starts_with("lx", "lxc"));
	assert_true(text_ends_with("a.migrated", ".migrated"));
	assert_false(text_ends_with("d", ".migrated"));
}

static void foreign_text_becomes_printable(void **state)
{
	char out[8];

	(void)state;
	text_printable(out, sizeof(out), "a\x1b[2J\n", 6);
	assert_string_equal(out, "a?[2J?");
	text_printable(out, sizeof(out), "\xff\0b", 3);
	assert_string_equal(out, "??b");
	text_printable(out, sizeof(out), "0123456789", 10);
	assert_string_equal(out, "0123456");
	text_printable(out, sizeof(out), "", 0);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows),
		cmocka_unit_test(words_are_a_null_terminated_vector),
		cmocka_unit_test(split_as_a_shell_does),
		cmocka_unit_test(open_quotes_are_errors),
		cmocka_unit_test(plain_words_are_quoted_only_where_needed),
		cmocka_unit_test(quoting_round_trips),
		cmocka_unit_test(a_shell_reads_what_we_quote),
		cmocka_unit_test(strip_and_compare),
		cmocka_unit_test(foreign_text_becomes_printable),
	};

	return RUN_ALL(tests);
}
