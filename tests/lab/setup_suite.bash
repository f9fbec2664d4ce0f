# SPDX-License-Identifier: GPL-2.0-or-later
# setup_suite.bash: alone responsible for the lab being up before, and gone after, the files of one bats run.
# shellcheck shell=bash
#
# VZMIGRATE_LAB_KEEP=1 leaves it up, so that the next run starts at once and a failure can be looked at.

setup_suite() {
	# shellcheck source-path=SCRIPTDIR
	. "$BATS_TEST_DIRNAME/helper.bash"
	lab up A B C
	# Without a build, what tests the lab itself still passes, and every migration fails.
	[ ! -x "$VZMIGRATE" ] || lab install "$VZMIGRATE"
}

teardown_suite() {
	# shellcheck source-path=SCRIPTDIR
	. "$BATS_TEST_DIRNAME/helper.bash"
	[ -n "${VZMIGRATE_LAB_KEEP-}" ] || lab down
}
