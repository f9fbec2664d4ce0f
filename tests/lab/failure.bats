#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# When something fails the source runs on, its client notices nothing but a pause, and the destination
# is as it was. Every failure here is a real one: full disks, limits, killed programs, a cut cable.

load helper

setup() {
	fresh
	container A 101 mem MB=128 FILES=2000
	client_start one 10.77.0.101 --stream
	remember A B
}

teardown() {
	stop_clients
	lab mend B
	limit_processes B max
}

rsync_runs() { [ -n "$(on A pidof rsync)" ]; }
vzmigrate_pid() { on A pgrep -o -x vzmigrate; }
# signal_when STATE SIGNAL: as soon as A's journal says so. A stop is too short to be looked at from out here.
signal_when() {
	on A timeout 20 sh -c 'until grep -q "\"$1\"" /var/lib/vzmigrate/101.journal 2>/dev/null; do sleep 0.002; done
		kill -s "$2" "$(pgrep -o -x vzmigrate)"' _ "$1" "$2"
}

# A process in the container that criu cannot dump: its standard output is a file outside.
# (No plain sleep: a system call that criu interrupted may end early, and with it busybox's sleep.)
outsider() { on A pgrep -x -f 'python3 -c import time.*'; }
outsider_start() {
	on A sh -c 'exec lxc-attach -n 101 -- sh -c "$1" </dev/null >/root/outside 2>&1' _ \
		'setsid python3 -c "import time; [time.sleep(1) for _ in range(300)]" &'
	wait_until 5 outsider >/dev/null
}
outsider_stop() {
	on A kill "$(outsider)"
	on A rm /root/outside
}

@test "8: criu cannot dump a process that writes into a file of its host" {
	outsider_start
	migrate --online --nodeps=processes 10.77.0.2 101
	outsider_stop
	grep -q 'log: /var/log/vzmigrate/101-dump.log' <<<"$output" || fail "$output"
	[ -s "$(root_of A)/var/log/vzmigrate/101-dump.log" ]
	grep -q 'mount' <<<"$output" || fail "$output"
	put_back 8 "cannot checkpoint container '101'"
}

@test "7: criu cannot restore within the destination's limit of processes" {
	python3 - 10.77.0.101 <<-'END' 3>&- &
		import socket, sys, time
		held = [socket.create_connection((sys.argv[1], 7000)) for _ in range(60)]
		time.sleep(60)
	END
	holder=$!
	threads() { [ "$(threads_of A 101)" -gt 60 ]; }
	wait_until 10 threads
	limit_processes B 40
	migrate --online 10.77.0.2 101
	kill "$holder"
	limit_processes B max
	put_back 7 "cannot restore container '101'"
}

@test "7: a container that does not start there is started here again" {
	on A ln -s /bin/true /usr/local/bin/at-start
	on B ln -s /bin/false /usr/local/bin/at-start
	echo 'lxc.hook.pre-start = /usr/local/bin/at-start' >>"$(root_of A)/var/lib/lxc/101/config"
	remember A
	migrate 10.77.0.2 101
	assert_status 7
	assert_runs_only_on A 101
	assert_unchanged A B
	on A rm /usr/local/bin/at-start
	on B rm /usr/local/bin/at-start
}

@test "a start that fails although the container runs there: it is there, and only there" {
	for name in lxc-start lxc-stop; do
		printf '#!/bin/sh\n[ %s = lxc-stop ] || /usr/bin/%s "$@"\nexit 1\n' $name $name >"$(root_of B)/usr/local/bin/$name"
		chmod 755 "$(root_of B)/usr/local/bin/$name"
	done
	migrate 10.77.0.2 101
	on B rm /usr/local/bin/lxc-start /usr/local/bin/lxc-stop
	assert_status 0
	assert_runs_only_on B 101
	[ ! -e "$(root_of A)/var/lib/lxc/101" ]
}

@test "6: rsync is killed" {
	migrate_start --online --rsync=--bwlimit=2m 10.77.0.2 101
	wait_until 10 rsync_runs
	sleep 0.5
	on A kill -KILL "$(on A pidof -s rsync)"
	migrate_wait
	put_back 6 "rsync"
}

@test "6: the destination's disk is full" {
	truncate -s 40M "$BATS_TEST_TMPDIR/disk"
	mkfs.ext4 -q "$BATS_TEST_TMPDIR/disk"
	device=$(losetup -f --show "$BATS_TEST_TMPDIR/disk")
	cp -a "$device" "$(root_of B)/dev/"
	on B mount "$device" /var/lib/lxc
	remember B
	migrate --online --nodeps=disk_space 10.77.0.2 101
	assert_unchanged B
	on B umount /var/lib/lxc
	losetup -d "$device"
	rm "$(root_of B)/dev/$(basename "$device")"
	remember B
	put_back 6 "No space left on device"
}

@test "25: ^C while files are copied, and again while everything is put back" {
	migrate_start --online --rsync=--bwlimit=2m 10.77.0.2 101
	wait_until 10 rsync_runs
	sleep 0.5
	on A kill -INT "$(vzmigrate_pid)"
	sleep 0.1
	on A kill -INT "$(vzmigrate_pid)" || true
	migrate_wait
	put_back 25 "interrupted"
}

@test "25: SIGTERM while the container is frozen" {
	migrate_start --online 10.77.0.2 101
	signal_when frozen TERM
	migrate_wait
	put_back 25 "interrupted"
}

@test "25: the terminal is lost while files are copied" {
	migrate_start --online --rsync=--bwlimit=2m 10.77.0.2 101
	wait_until 10 rsync_runs
	on A kill -HUP "$(vzmigrate_pid)"
	migrate_wait
	put_back 25 "interrupted"
}

@test "25: ^C while a clean shutdown is under way: the container runs again" {
	migrate_start 10.77.0.2 101
	wait_until 20 journal_says A start
	on A kill -INT "$(vzmigrate_pid)"
	migrate_wait
	assert_status 25
	assert_runs_only_on A 101
	assert_unchanged A B
}

@test "4: the cable is cut while files are copied: both ends put back what they did" {
	migrate_start --online --timeout=3 --rsync=--bwlimit=2m 10.77.0.2 101
	wait_until 10 rsync_runs
	sleep 0.5
	lab cut B
	migrate_wait
	assert_status 4
	assert_output_has "vzmigrate --recover 101"
	assert_runs_only_on A 101
	# Nothing to be done before it can be asked, and nothing lost.
	migrate --recover --timeout=2 101
	assert_status 4
	# B's own agent has nobody to tell it.
	lab mend B
	gone() { [ ! -e "$(root_of B)/var/lib/vzmigrate/101.journal" ] && [ -z "$(on B pidof vzmigrate rsync)" ]; }
	wait_until 20 gone
	migrate --recover 101
	put_back 0 "everything is put back on both nodes"
}

@test "the cable is cut while the container is held there: it runs on here, and there it is dropped" {
	migrate_start --online --timeout=4 10.77.0.2 101
	wait_until 20 journal_says B held
	lab cut B
	sleep 6
	lab mend B
	migrate_wait
	if [ "$status" = 0 ]; then
		# The commit came before the cut: then it must be there, and only there.
		assert_runs_only_on B 101
		client_stop one
		return
	fi
	assert_runs_only_on A 101
	client_stop one
	gone() { [ ! -e "$(root_of B)/var/lib/vzmigrate/101.journal" ] && [ -z "$(processes_of B 101)" ]; }
	wait_until 20 gone
}

@test "kill -9 of vzmigrate with the container frozen: it runs on, and the next attempt succeeds" {
	migrate_start --online 10.77.0.2 101
	signal_when frozen KILL
	migrate_wait
	alive() { [ "$(alive_on 101)" = A ]; }
	wait_until 10 alive
	# What is not held yet is taken back at once; what is, by the next attempt.
	settled() { [ ! -e "$(root_of B)/var/lib/vzmigrate/101.journal" ] || journal_says B held; }
	wait_until 20 settled
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	sleep 0.3
	client_stop one
	assert_memory 101
}

@test "--keep-dst keeps the copied files, and the next attempt sends only what differs" {
	outsider_start
	migrate --online --keep-dst --nodeps=processes 10.77.0.2 101
	outsider_stop
	assert_status 8
	kept=$(root_of B)/var/lib/lxc/.101.vzmigrate
	[ -d "$kept/rootfs/srv/tree" ]
	[ ! -e "$(root_of B)/var/lib/lxc/101" ]
	inode=$(stat -c %i "$kept/rootfs/srv/work.py")
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_equal "$(stat -c %i "$(root_of B)/var/lib/lxc/101/rootfs/srv/work.py")" "$inode"
	assert_runs_only_on B 101
	client_stop one
}
