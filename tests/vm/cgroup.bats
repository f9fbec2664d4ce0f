#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# With nothing but cgroup v2: whose processes are in which cgroup, for that is what is frozen and killed.
# bats file_tags=vm

load ../lab/helper

setup() { fresh; }
teardown() { stop_clients; }

@test "a container with a new id has a cgroup of its own there, and moves on; its namesake never notices" {
	container B 101 mem MB=8 IP=150
	container A 101 mem MB=8
	client_start moves 10.77.0.101 --pause 50
	client_start stays 10.77.0.150 --pause 50
	namesake=$(processes_of B 101)
	migrate --online 10.77.0.2 101:201
	assert_status 0
	assert_runs_only_on B 201
	assert_equal "$(processes_of B 101)" "$namesake"
	cgroup=$(cgroups_of B 201)
	MIGRATE_HOST=B migrate --online 10.77.0.1 201:301
	assert_status 0
	assert_runs_only_on A 301
	[ ! -e "$cgroup" ]
	assert_equal "$(processes_of B 101)" "$namesake"
	client_stop moves
	client_stop stays
	assert_memory 101
	assert_memory 150
}
