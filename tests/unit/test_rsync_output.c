// SPDX-License-Identifier: GPL-2.0-or-later
/* What is read out of rsync's output, cut anywhere, with whatever else stands there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "system/rsync_output.h"

static const char printed[] =
	"\r          32768   0%    0.00kB/s    0:00:00  "
	"\r      209715200  99%  302.52MB/s    0:00:00 (xfr#1, ir-chk=1250/1252)"
	"srv/name 77 88%\n"
	"\r      218715200 100%   26.28MB/s    0:00:07 (xfr#30001, to-chk=0/30202)\n"
	"\n"
	"sent 220534434 bytes  received 571974 bytes  26012518.59 bytes/sec\n"
	"total size is 218715200  speedup is 0.99\n";

static void test_whole_and_cut(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof(printed); piece += 7) {
		CLEANUP(rsync_output_release)
		struct rsync_output output = RSYNC_OUTPUT_NONE;
		struct progress progress;

		progress_begin(&progress, "files", 0);
		output.progress = &progress;
		for (size_t i = 0; i < strlen(printed); i += piece)
			rsync_output_take(&output, printed + i,
					  i + piece > strlen(printed) ? strlen(printed) - i
								      : piece);
		assert_int_equal(output.sent, 220534434);
		assert_int_equal(progress.bytes, 218715200);
		assert_int_equal(progress.total, 218715200);
	}
}

static void test_total(void **state)
{
	static const char half[] = "     1000000  50%  1.00MB/s    0:00:01 (xfr#1, to-chk=1/2)\r";
	static const char growing[] =
		"     1000000  50%  1.00MB/s    0:00:01 (xfr#1, ir-chk=1/2)\r";
	CLEANUP(rsync_output_release) struct rsync_output output = RSYNC_OUTPUT_NONE;
	struct progress progress;

	(void)state;
	progress_begin(&progress, "files", 0);
	output.progress = &progress;
	rsync_output_take(&output, growing, strlen(growing));
	assert_int_equal(progress.bytes, 1000000);
	assert_int_equal(progress.total, 0);
	rsync_output_take(&output, half, strlen(half));
	assert_int_equal(progress.total, 2000000);
	/* What was counted before is better. */
	progress_begin(&progress, "files", 3000000);
	rsync_output_take(&output, half, strlen(half));
	assert_int_equal(progress.total, 3000000);
}

static void test_nonsense(void **state)
{
	static const char *const lines[] = {
		"sent -5 bytes  received 1 bytes\n",
		"sent x bytes  received 1 bytes\n",
		"sent 5 bytes\n",
		"     -5  10%\n",
		"     5  x%\n",
		"     5  10\n",
		"     5  1000%\n",
		"%\n",
		"99999999999999999999999999 5\n",
	};
	CLEANUP(rsync_output_release) struct rsync_output output = RSYNC_OUTPUT_NONE;
	CLEANUP(memory_release) char *longest = memory_allocate(100000, 1);
	struct progress progress;

	(void)state;
	progress_begin(&progress, "files", 0);
	output.progress = &progress;
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		rsync_output_take(&output, lines[i], strlen(lines[i]));
	memset(longest, '7', 99999);
	rsync_output_take(&output, longest, 99999);
	rsync_output_take(&output, "\n", 1);
	assert_int_equal(progress.bytes, 0);
	assert_int_equal(output.sent, 0);
	/* Nobody wants to know. */
	output.progress = NULL;
	rsync_output_take(&output, printed, strlen(printed));
	assert_int_equal(output.sent, 220534434);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_and_cut),
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
