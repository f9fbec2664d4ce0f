#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The virtual machine is what its tests are about: otherwise they would pass and say nothing.
# bats file_tags=vm, vm:short

load ../lab/helper

@test "cgroup v2 alone is mounted, here and in the hosts, and the containers' controllers are there" {
	assert_equal "$(stat -f -c %T /sys/fs/cgroup)" cgroup2fs
	assert_equal "$(grep -c ' - cgroup ' /proc/self/mountinfo || true)" 0
	for host in A B; do
		assert_equal "$(on "$host" stat -f -c %T /sys/fs/cgroup)" cgroup2fs
		controllers=" $(on "$host" cat /sys/fs/cgroup/cgroup.subtree_control) "
		for controller in cpu memory pids; do
			[[ $controllers == *" $controller "* ]] || fail "no '$controller' in '$controllers' of host $host"
		done
	done
}

@test "the kernel marks soft-dirty pages, and cannot protect them asynchronously" {
	run on A criu check --feature mem_dirty_track
	assert_status 0
	# What a userfaultfd of this kernel says of its features: WP_ASYNC, bit 15, is of 6.7.
	assert_equal "$(python3 "$project/tests/vm/userfault_features.py" 15)" no
}
