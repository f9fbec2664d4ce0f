#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab itself: a container moves with nothing but rsync, ssh and lxc-checkpoint (scripts/recipe).
# When these fail, so will every other lab test, and it is not vzmigrate's fault.

load helper

setup() { fresh; }
teardown() { stop_clients; }

@test "a container with user namespaces moves by hand, its connection goes on" {
	container A 101 mem MB=32
	client_start one 10.77.0.101 --stream
	run on A bash -s "$(address B)" 101 <"$project/scripts/recipe"
	assert_status 0
	client_stop one
	assert_memory 101
	assert_equal "$(alive_on 101)" B
	assert_runs_only_on B 101
}

@test "a privileged container moves by hand, its connection goes on" {
	container A 102 mem MB=32 PRIV=yes
	client_start one 10.77.0.102
	run on A bash -s "$(address B)" 102 <"$project/scripts/recipe"
	assert_status 0
	client_stop one
	assert_runs_only_on B 102
}

@test "a tree of everything is the same after rsync, and treesum sees what is not" {
	container A 103 mem START=no NASTY=yes
	tree_of A /var/lib/lxc/103/rootfs/srv/nasty >"$BATS_TEST_TMPDIR/before"
	on A rsync -aHAXS --numeric-ids --modify-window=-1 /var/lib/lxc/103/rootfs/srv/nasty/ "$(address B):/vz/nasty/"
	assert_same_tree "$BATS_TEST_TMPDIR/before" B /vz/nasty
	chmod 600 "$(root_of B)/vz/nasty/size-0"
	run assert_same_tree "$BATS_TEST_TMPDIR/before" B /vz/nasty
	assert_status 1
}

@test "a host is seen as it was after a container came and went, and not before" {
	remember A B
	container A 104 mem MB=1
	run assert_unchanged A
	assert_status 1
	lab ct-remove A 104
	assert_unchanged A B
}
