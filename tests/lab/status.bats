#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Each exit status by its real cause: one sentence, and nothing has changed on either host.

load helper

setup_file() {
	fresh
	container A 101 mem
	container A 102 mem START=no
}

setup() {
	client_start one 10.77.0.101
	remember A B
}

# The sentence, the status, the container and its client, and both hosts.
refused() {
	assert_status "$1"
	assert_output_has "$2"
	assert_equal "$(grep '^vzmigrate: ' <<<"$output" | grep -vc '^vzmigrate: warning: check ')" 1
	assert_runs_only_on A 101
	client_stop one
	assert_unchanged A B
}

teardown() { stop_clients; }

@test "2: --online of a stopped container" {
	migrate --online 10.77.0.2 102
	refused 2 "'102' is stopped"
}

@test "4: nothing listens there" {
	migrate --online 10.77.0.2:2 101
	refused 4 "refused"
}

@test "4: no vzmigrate there" {
	on B mv /usr/sbin/vzmigrate /usr/sbin/vzmigrate.away
	migrate --online 10.77.0.2 101
	on B mv /usr/sbin/vzmigrate.away /usr/sbin/vzmigrate
	refused 4 "not installed on 10.77.0.2"
}

@test "4: the user there may not use sudo" {
	on B useradd -m nobodys
	on B sh -c 'mkdir -p /home/nobodys/.ssh && cp /root/.ssh/authorized_keys /home/nobodys/.ssh/ && chown -R nobodys /home/nobodys/.ssh'
	migrate --online nobodys@10.77.0.2 101
	on B userdel -r nobodys 2>/dev/null
	refused 4 "10.77.0.2"
}

@test "9: the container exists there" {
	container B 101 mem START=no
	remember B
	migrate --online 10.77.0.2 101
	refused 9 "'101' exists"
	lab ct-remove B 101
}

@test "9: a directory of its name exists there" {
	on B mkdir /var/lib/lxc/101
	remember B
	migrate --online 10.77.0.2 101
	refused 9 "/var/lib/lxc/101"
	on B rmdir /var/lib/lxc/101
}

@test "10: no such container" {
	migrate --online 10.77.0.2 999
	refused 10 "'999'"
}

@test "12: the destination has its address" {
	on B ip addr add 10.77.0.101/32 dev lo
	migrate --online 10.77.0.2 101
	on B ip addr del 10.77.0.101/32 dev lo
	refused 12 "10.77.0.101"
}

@test "12: a container of the destination is configured with its address" {
	container B 103 mem START=no IP=101
	remember B
	migrate --online 10.77.0.2 101
	refused 12 "container '103'"
	lab ct-remove B 103
}

@test "14: no rsync there" {
	on B mv /usr/bin/rsync /usr/bin/rsync.away
	migrate --online 10.77.0.2 101
	on B mv /usr/bin/rsync.away /usr/bin/rsync
	refused 14 "rsync"
}

@test "14: no criu there, wanted only for --online" {
	on B mv /usr/sbin/criu /usr/sbin/criu.away
	migrate --online 10.77.0.2 101
	refused 14 "criu"
	client_start one 10.77.0.101
	migrate 10.77.0.2 102
	on B mv /usr/sbin/criu.away /usr/sbin/criu
	assert_status 0
	MIGRATE_HOST=B migrate 10.77.0.1 102
	assert_status 0
}

@test "32: the bridge is missing there" {
	sed 's/br0/br9/' "$(root_of A)/var/lib/lxc/102/config" >"$BATS_TEST_TMPDIR/config"
	cp "$(root_of A)/var/lib/lxc/102/config" "$BATS_TEST_TMPDIR/config.before"
	cp "$BATS_TEST_TMPDIR/config" "$(root_of A)/var/lib/lxc/102/config"
	migrate 10.77.0.2 102
	cp "$BATS_TEST_TMPDIR/config.before" "$(root_of A)/var/lib/lxc/102/config"
	refused 32 "'br9'"
}

@test "32: a process that lxc-attach runs in the container would be lost" {
	on A lxc-attach -n 101 -- sleep 60 </dev/null >/dev/null 2>&1 3>&- &
	attached=$!
	wait_until 5 on A pgrep -x sleep -n >/dev/null
	sleep 0.5
	migrate --online 10.77.0.2 101
	on A kill "$(on A pgrep -x -f 'sleep 60')"
	wait "$attached" || true
	refused 32 "('sleep') of container '101'"
	assert_output_has "lxc-attac"
}

@test "20: another vzmigrate holds the container" {
	on A mkdir -p /run/lock/vzmigrate
	on A flock /run/lock/vzmigrate/101.lock sleep 4 3>&- &
	holder=$!
	sleep 0.5
	migrate --online 10.77.0.2 101
	refused 20 "'101'"
	wait "$holder"
}

@test "20: what a migration recorded that was interrupted at the switch is not touched" {
	journal=$(root_of A)/var/lib/vzmigrate/101.journal
	mkdir -p "$(dirname "$journal")"
	cat >"$journal" <<-'END'
		{"record":"migration","migration":"101-1-1","role":"destination","container":{}}
		{"record":"undo","number":0,"action":"remove-tree","scope":0,"arguments":{"path":"/var/lib/lxc/101/rootfs/srv"}}
		{"record":"state","state":"told"}
	END
	remember A
	migrate --online 10.77.0.2 101
	[ -e "$(root_of A)/var/lib/lxc/101/rootfs/srv/work.py" ]
	[ -e "$journal" ]
	refused 20 "interrupted at the switch"
	rm "$journal"
}

@test "a rootfs that is no directory is refused with its type" {
	cp "$(root_of A)/var/lib/lxc/102/config" "$BATS_TEST_TMPDIR/config.before"
	sed -i 's,^lxc.rootfs.path.*,lxc.rootfs.path = overlay:/lower:/upper,' "$(root_of A)/var/lib/lxc/102/config"
	migrate 10.77.0.2 102
	cp "$BATS_TEST_TMPDIR/config.before" "$(root_of A)/var/lib/lxc/102/config"
	assert_output_has "overlay"
	[ "$status" -ne 0 ]
	client_stop one
	assert_unchanged A B
}
