#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What changes while it is copied: the last pass sends only that, and the tree is the same there.
# (memory.bats does it twenty times.)

load helper

setup() { fresh; }
teardown() { stop_clients; }

@test "a program changes its tree thousands of times a second, and every change arrives" {
	local from=A to=B everything=0
	container A 101 mem CHURN=yes FILES=1000
	for _ in there back; do
		MIGRATE_HOST=$from migrate --online -v -r no "$(address $to)" 101
		assert_status 0
		[[ $output != *"every file is looked at after"* ]] || everything=$((everything + 1))
		assert_moved_tree 101 $from $to
		read -r from to <<<"$to $from"
	done
	# On a machine that is busy with other things rsync may lose its way in every pass: then all is looked at.
	[ $everything -lt 2 ] || fail "the last pass has looked at every file, twice:" "$output"
}
