#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# With nothing but cgroup v2: the limits of an LXC container hold where it has moved live. The hosts have the machine's own
# root of cgroups in common, as only below that LXC's containers have controllers (scripts/lab.d/host.sh).
# bats file_tags=vm

load ../lab/helper

reboot_hosts() {
	for host in A B; do
		lab crash "$host"
		lab boot "$host"
	done
}

setup_file() { VZMIGRATE_LAB_CGROUP=machine reboot_hosts; }

teardown_file() {
	reboot_hosts
	find /sys/fs/cgroup -mindepth 1 -depth -path '/sys/fs/cgroup/lxc.*' -type d -exec rmdir {} +
}

setup() { fresh; }
teardown() { stop_clients; }

# assert_runs_on HOST ID OTHER-HOST OTHER-ID: there under that id, and not as it was called before. (Both hosts see the
# same cgroups, so these do not tell where it runs.)
assert_runs_on() {
	assert_equal "$(state_of "$1" "$2")" RUNNING
	[ ! -e "$(root_of "$3")/var/lib/lxc/$4" ]
}

# limit_of HOST ID FILE: what the cgroup of its first process has in there.
limit_of() {
	local folder pid
	pid=$(on "$1" lxc-info -n "$2" -pH)
	folder=$(on "$1" sed 's/^0:://' "/proc/$pid/cgroup")
	on "$1" cat "/sys/fs/cgroup$folder/$3"
}

limits=$(printf '%s\n' 'lxc.cgroup2.memory.max = 200M' 'lxc.cgroup2.memory.low = 8M' 'lxc.cgroup2.pids.max = 77' \
	'lxc.cgroup2.cpu.max = 90000 100000' 'lxc.cgroup2.cpu.weight = 42')

assert_limits() {
	assert_equal "$(limit_of "$1" "$2" memory.max)" $((200 << 20))
	assert_equal "$(limit_of "$1" "$2" memory.low)" $((8 << 20))
	assert_equal "$(limit_of "$1" "$2" pids.max)" 77
	assert_equal "$(limit_of "$1" "$2" cpu.max)" "90000 100000"
	assert_equal "$(limit_of "$1" "$2" cpu.weight)" 42
}

# assert_devices HOST ID: it may make devices of the kernel's memory, and no disks.
assert_devices() {
	on "$1" lxc-attach -n "$2" -- mknod "/tmp/zero-$1" c 1 5 </dev/null
	run on "$1" lxc-attach -n "$2" -- mknod /tmp/disk b 8 0 </dev/null
	assert_output_has "Operation not permitted"
}

# bats test_tags=vm:short
@test "limits of memory, processes and CPU move live with a container, hold there, and move back" {
	container A 101 mem MB=16 EXTRA="$limits"
	assert_limits A 101
	client_start one 10.77.0.101 --pause 50
	# As on a node where nothing has asked for controllers yet.
	find /sys/fs/cgroup -depth -name cgroup.subtree_control -exec sh -c 'echo "-cpu -memory -pids" >"$1"' _ {} \;
	[ ! -e /sys/fs/cgroup/lxc.payload.101/memory.max ]
	migrate --online 10.77.0.2 101:201
	assert_status 0
	[[ $output != *limit* ]] || fail "a limit is said to be lost:" "$output"
	assert_runs_on B 201 A 101
	assert_limits B 201
	MIGRATE_HOST=B migrate --online 10.77.0.1 201:301
	assert_status 0
	assert_runs_on A 301 B 201
	assert_limits A 301
	client_stop one
	assert_memory 101
	# More processes than that it cannot have.
	# shellcheck disable=SC2016	# expanded in the container
	run on A lxc-attach -n 301 -- sh -c 'for i in $(seq 100); do sleep 30 & done' </dev/null
	assert_output_has "can't fork"
}

@test "which devices a privileged container may use is limited where it has moved live" {
	container A 101 mem MB=16 PRIV=yes EXTRA="$(printf 'lxc.cgroup2.devices.%s\n' 'deny = a' 'allow = c 1:* rwm' \
		'allow = c 5:2 rwm' 'allow = c 136:* rwm')"
	assert_devices A 101
	migrate --online 10.77.0.2 101:201
	assert_status 0
	assert_devices B 201
	assert_runs_on B 201 A 101
	assert_memory 101
}

@test "7: a limit that this kernel does not know is named, and the container goes on where it was" {
	container A 101 mem MB=16 EXTRA="$limits"
	echo 'lxc.cgroup2.memory.maxx = 1G' >>"$(root_of A)/var/lib/lxc/101/config"
	client_start one 10.77.0.101 --pause 50
	migrate --online 10.77.0.2 101:201
	assert_status 7
	assert_output_has "container '201' cannot have a limit of its configuration here: 'lxc.cgroup2.memory.maxx': "
	assert_runs_on A 101 B 201
	client_stop one
	assert_memory 101
}
