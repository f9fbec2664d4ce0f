#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What changes while it is copied: the last pass sends only that, and the tree is the same there.
#
# CHURN_ROUNDS (1): so often there and back.

load helper

setup() { fresh; }
teardown() { stop_clients; }

# ask ID ORDER: churn.py's answer.
ask() {
	timeout 60 python3 -c "import socket; s = socket.create_connection(('10.77.0.$1', 7002), 30); s.sendall(b'$2'); print(s.makefile().readline().strip())"
}

# assert_moved_tree FROM TO: container 101 was moved while churn.py changed it. Its files are what the program
# knows that they are, and the two trees differ only where it was at work in that moment, and by criu's own names.
assert_moved_tree() {
	local from=$1 to=$2 answer
	answer=$(ask 101 check)
	[[ $answer == moved:* ]] || fail "churn.py: $answer" || return 1
	tree_of "$from" /var/lib/lxc/101.migrated/rootfs/srv/churn >"$BATS_TEST_TMPDIR/tree.from"
	tree_of "$to" /var/lib/lxc/101/rootfs/srv/churn >"$BATS_TEST_TMPDIR/tree.to"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/tree.from")" -gt 300 ]
	diff "$BATS_TEST_TMPDIR/tree.from" "$BATS_TEST_TMPDIR/tree.to" | sed -n 's/^[<>] \([^\t]*\)\t.*/\1/p' |
		grep -v 'link_remap\.[0-9]*$' | sort -u >"$BATS_TEST_TMPDIR/differ"
	tr ' ' '\n' <<<"${answer#moved:}" | sort -u >"$BATS_TEST_TMPDIR/touched"
	comm -23 "$BATS_TEST_TMPDIR/differ" "$BATS_TEST_TMPDIR/touched" >"$BATS_TEST_TMPDIR/lost"
	[ ! -s "$BATS_TEST_TMPDIR/lost" ] ||
		fail "differs, but nobody touched it:" "$(head -n 20 "$BATS_TEST_TMPDIR/lost")" \
			"$(diff "$BATS_TEST_TMPDIR/tree.from" "$BATS_TEST_TMPDIR/tree.to" | cut -c 1-200 | head -n 20)"
}

@test "a program changes its tree thousands of times a second, and every change arrives" {
	container A 101 mem CHURN=yes FILES=1000
	for ((round = 0; round < ${CHURN_ROUNDS:-1}; round++)); do
		migrate --online -v -r no 10.77.0.2 101
		assert_status 0
		refute_output_has "every file is looked at after"
		assert_moved_tree A B
		rm -rf --one-file-system "$(root_of A)/var/lib/lxc/101.migrated"
		ask 101 go
		MIGRATE_HOST=B migrate --online -v -r no 10.77.0.1 101
		assert_status 0
		refute_output_has "every file is looked at after"
		assert_moved_tree B A
		rm -rf --one-file-system "$(root_of B)/var/lib/lxc/101.migrated"
		ask 101 go
	done
}
