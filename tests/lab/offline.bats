#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Moves with a restart, and moves of stopped containers: what arrives is what left.

load helper

setup() { fresh; }
teardown() { stop_clients; }

@test "a stopped container arrives whole, and stopped" {
	container A 101 mem START=no NASTY=yes FILES=500
	tree_of A /var/lib/lxc/101/rootfs >"$BATS_TEST_TMPDIR/tree"
	remember B
	migrate 10.77.0.2 101
	assert_status 0
	assert_output_has "container '101' is now on 10.77.0.2"
	assert_same_tree "$BATS_TEST_TMPDIR/tree" B /var/lib/lxc/101/rootfs
	assert_equal "$(running_on 101)" ""
	[ ! -e "$(root_of A)/var/lib/lxc/101" ]
	on B lxc-start -n 101 -d </dev/null
	wait_until 10 on B python3 -c "import socket; socket.create_connection(('10.77.0.101', 7000), 1)"
	assert_runs_only_on B 101
}

# bats test_tags=vm
@test "a running container restarts on the destination with every file" {
	container A 101 mem NASTY=yes FILES=500
	tree_of A /var/lib/lxc/101/rootfs --except . --except tmp --except 'tmp/*' --except 'run/*' >"$BATS_TEST_TMPDIR/tree"
	migrate 10.77.0.2 101
	assert_status 0
	assert_output_has "container '101' now runs on 10.77.0.2"
	assert_runs_only_on B 101
	assert_same_tree "$BATS_TEST_TMPDIR/tree" B /var/lib/lxc/101/rootfs --except . --except tmp --except 'tmp/*' --except 'run/*'
	[ ! -e "$(root_of A)/var/lib/lxc/101" ]
}

@test "a privileged container with device nodes moves" {
	container A 101 mem PRIV=yes NASTY=yes
	tree_of A /var/lib/lxc/101/rootfs --except . --except tmp --except 'tmp/*' --except 'run/*' >"$BATS_TEST_TMPDIR/tree"
	migrate 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	assert_same_tree "$BATS_TEST_TMPDIR/tree" B /var/lib/lxc/101/rootfs --except . --except tmp --except 'tmp/*' --except 'run/*'
}

@test "a file that shrinks while it is read does not stop a migration" {
	container A 101 mem
	file=/var/lib/lxc/101/rootfs/srv/shrinks
	on A dd if=/dev/urandom of=$file bs=1M count=24 status=none
	migrate_start --rsync=--bwlimit=6m 10.77.0.2 101
	is_read() { on A sh -c 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q srv/shrinks'; }
	wait_until 20 is_read
	on A truncate -s 1000 $file
	migrate_wait
	assert_status 0
	assert_runs_only_on B 101
	assert_equal "$(stat -c %s "$(root_of B)$file")" 1000
}

@test "a private area elsewhere keeps its path, also behind a symbolic link" {
	container A 101 mem START=no PATH_=/vz/private/101
	on A ln -s /vz/private /vz/link
	sed -i 's,/vz/private/101,/vz/link/101,' "$(root_of A)/var/lib/lxc/101/config"
	on A lxc-start -n 101 -d </dev/null
	migrate 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	[ -d "$(root_of B)/vz/private/101/srv" ]
	grep -q '^lxc.rootfs.path = dir:/vz/private/101$' "$(root_of B)/var/lib/lxc/101/config"
	[ ! -e "$(root_of A)/vz/private/101" ]
}

@test "-r no leaves the source renamed and unable to start; a second time it gets a number" {
	container A 101 mem
	migrate -r no 10.77.0.2 101
	assert_status 0
	[ -d "$(root_of A)/var/lib/lxc/101.migrated/rootfs" ]
	run on A lxc-start -n 101 -d </dev/null
	[ "$status" -ne 0 ]
	run on A lxc-start -n 101.migrated -d </dev/null
	[ "$status" -ne 0 ]
	assert_equal "$(on A lxc-ls -1 --active)" ""
	MIGRATE_HOST=B migrate 10.77.0.1 101
	assert_status 0
	migrate -r no 10.77.0.2 101
	assert_status 0
	[ -d "$(root_of A)/var/lib/lxc/101.migrated/rootfs" ]
	[ -d "$(root_of A)/var/lib/lxc/101.migrated.2/rootfs" ]
	assert_runs_only_on B 101
}

@test "REMOVEMIGRATED=no of vz.conf is the default of -r, which beats it" {
	on A mkdir -p /etc/vz
	echo 'REMOVEMIGRATED="no" # $(touch /tmp/sourced)' >"$(root_of A)/etc/vz/vz.conf"
	container A 101 mem START=no
	container A 102 mem START=no
	migrate 10.77.0.2 101
	assert_status 0
	[ -d "$(root_of A)/var/lib/lxc/101.migrated" ]
	migrate -r yes 10.77.0.2 102
	assert_status 0
	[ ! -e "$(root_of A)/var/lib/lxc/102.migrated" ]
	[ ! -e "$(root_of A)/tmp/sourced" ]
	rm -rf "$(root_of A)/etc/vz"
}

@test "a container on btrfs moves to ext4 and back" {
	truncate -s 600M "$BATS_FILE_TMPDIR/btrfs"
	mkfs.btrfs -q "$BATS_FILE_TMPDIR/btrfs"
	mkdir -p "$(root_of A)/vz/btrfs"
	device=$(losetup -f --show "$BATS_FILE_TMPDIR/btrfs")
	cp -a "$device" "$(root_of A)/dev/"
	on A mount "$device" /vz/btrfs
	container A 101 mem NASTY=yes START=no
	mv "$(root_of A)/var/lib/lxc/101/rootfs" "$BATS_FILE_TMPDIR/rootfs"
	tar -C "$BATS_FILE_TMPDIR" --xattrs --xattrs-include='*' --acls -cf - rootfs |
		on A tar -C /vz/btrfs --xattrs --xattrs-include='*' --acls -xf -
	rm -rf "$BATS_FILE_TMPDIR/rootfs"
	sed -i 's,^lxc.rootfs.path.*,lxc.rootfs.path = dir:/vz/btrfs/rootfs,' "$(root_of A)/var/lib/lxc/101/config"
	migrate 10.77.0.2 101
	assert_status 0
	on B lxc-start -n 101 -d </dev/null
	MIGRATE_HOST=B migrate 10.77.0.1 101
	assert_status 0
	assert_runs_only_on A 101
	on A test -d /vz/btrfs/rootfs/srv
	on A lxc-stop -k -n 101
	on A umount /vz/btrfs
	losetup -d "$device"
}
