#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Copies, new names and places, what stays on either host, and disk quotas.

load helper

setup_file() { fresh; }

teardown() {
	stop_clients
	# shellcheck disable=SC2154
	if [ -n "${loops-}" ]; then
		on A umount /vz 2>/dev/null || true
		on B umount /vz 2>/dev/null || true
		for loop in $loops; do losetup -d "$loop"; done
	fi
}

# btrfs_at HOST: /vz of the host is a btrfs of its own.
btrfs_at() {
	local loop
	truncate -s 512M "$BATS_TEST_TMPDIR/disk-$1"
	mkfs.btrfs -q -f "$BATS_TEST_TMPDIR/disk-$1" 2>/dev/null
	loop=$(losetup -f --show "$BATS_TEST_TMPDIR/disk-$1")
	loops+=" $loop"
	mknod "$(root_of "$1")/dev/places-disk" b 7 "${loop#/dev/loop}"
	on "$1" mount /dev/places-disk /vz
	rm "$(root_of "$1")/dev/places-disk"
}

# limits_of HOST: the limits of its subvolumes, in bytes.
limits_of() { btrfs qgroup show --raw -r "$(root_of "$1")/vz" | awk '$1 ~ "^0/" && $4 ~ "^[0-9]+$" { print $4 }'; }

@test "a copy of a running container: the source is as it was, the copy is stopped and of one moment" {
	container A 101 mem MB=16
	client_start one 10.77.0.101
	remember A
	migrate --readonly 10.77.0.2 101:201
	assert_status 0
	assert_output_has "is copied to 10.77.0.2 as '201' (stopped for "
	client_stop one
	assert_runs_only_on A 101
	assert_equal "$(alive_on 101)" A
	assert_unchanged A
	[ ! -e "$(root_of A)/run/lock/vzmigrate" ]
	assert_equal "$(on B lxc-info -n 201 -sH)" STOPPED
	[ ! -e "$(root_of B)/var/lib/vzmigrate/201.journal" ]
	grep -q '^lxc.uts.name = ct201$' "$(root_of B)/var/lib/lxc/201/config"
	# What does not change is the same.
	tree_of A /var/lib/lxc/101/rootfs --except tmp >"$BATS_TEST_TMPDIR/tree"
	assert_same_tree "$BATS_TEST_TMPDIR/tree" B /var/lib/lxc/201/rootfs --except tmp
	lab ct-remove B 201
}

@test "a copy that fails leaves nothing, and a stopped container is copied too" {
	container A 102 mem START=no
	remember A
	remember B
	migrate --readonly --rsync=--no-such-option 10.77.0.2 102
	assert_status 6
	assert_unchanged A B
	migrate --readonly 10.77.0.2 102
	assert_status 0
	assert_unchanged A
	assert_equal "$(on B lxc-info -n 102 -sH)" STOPPED
	lab ct-remove B 102
}

@test "live, under a new name and to new places; few round trips" {
	migrate -v --online 10.77.0.2 101:301:/vz/private/301:/vz/root/301
	assert_status 0
	assert_equal "$(sed -n '/operation stage/q; p' <<<"$output" | grep -c ' 10.77.0.2: operation ')" 4
	assert_equal "$(on B lxc-info -n 301 -sH)" RUNNING
	assert_memory 101
	[ ! -e "$(root_of A)/var/lib/lxc/101" ]
	[ ! -e "$(root_of B)/var/lib/lxc/301/rootfs" ]
	[ -e "$(root_of B)/vz/private/301/srv/work.py" ]
	grep -q '^lxc.net.0.hwaddr = 00:16:3e:00:01:65$' "$(root_of B)/var/lib/lxc/301/config"
	# And once more from its configuration there.
	on B lxc-stop -k -n 301
	on B lxc-start -n 301 -d </dev/null
	assert_equal "$(on B lxc-info -n 301 -sH)" RUNNING
}

@test "what could not be checked is not started" {
	MIGRATE_HOST=B migrate --nodeps=bridge 10.77.0.1 301:101
	assert_status 0
	assert_output_has "stopped"
	assert_equal "$(on A lxc-info -n 101 -sH)" STOPPED
	on A lxc-start -n 101 -d </dev/null
	assert_runs_only_on A 101
}

@test "-r no: renamed, numbered, and nothing that could be started" {
	on A mkdir -p /var/lib/lxc/102.migrated
	migrate -r no 10.77.0.2 102
	assert_status 0
	[ -e "$(root_of A)/var/lib/lxc/102.migrated.2/rootfs/srv/work.py" ]
	[ ! -e "$(root_of A)/var/lib/lxc/102" ]
	run ! on A lxc-start -n 102 -d </dev/null
	run ! on A lxc-start -n 102.migrated.2 -d </dev/null
	refute_has="$(on A lxc-ls -1)"
	[[ $refute_has != *102* ]]
	rm -rf "$(root_of A)"/var/lib/lxc/102.migrated*
}

@test "--keep-dst: what stays serves the same container, and no other" {
	# What its configuration includes does not arrive, so that it cannot be adapted.
	sed -i 's,^lxc.uts.name.*,&\nlxc.include = /var/lib/lxc/102/more,' "$(root_of B)/var/lib/lxc/102/config"
	on B mkdir /var/lib/lxc/102/more
	MIGRATE_HOST=B migrate --keep-dst --rsync='--exclude=more' 10.77.0.1 102
	[ "$status" -ne 0 ]
	[ -d "$(root_of A)/var/lib/lxc/.102.vzmigrate" ]
	grep -q kept "$(root_of A)/var/lib/vzmigrate/102.journal"
	# Another container of that name, from C, may not have it.
	container C 102 mem START=no
	MIGRATE_HOST=C migrate 10.77.0.1 102
	assert_status 9
	assert_output_has "not of an earlier attempt with this very container"
	lab ct-remove C 102
	MIGRATE_HOST=B migrate 10.77.0.1 102
	assert_status 0
	[ ! -e "$(root_of A)/var/lib/lxc/.102.vzmigrate" ]
	lab ct-remove A 102
}

@test "13: a disk quota arrives with the private area, or nothing happens" {
	local vz
	btrfs_at A
	btrfs_at B
	vz=$(root_of A)/vz
	btrfs -q quota enable "$vz"
	container A 105 mem START=no PATH_=/vz/plain
	btrfs -q subvolume create "$vz/105"
	chmod --reference="$vz/plain" "$vz/105"
	chown --reference="$vz/plain" "$vz/105"
	mv "$vz"/plain/* "$vz/105/"
	rmdir "$vz/plain"
	sed -i 's,/vz/plain,/vz/105,' "$(root_of A)/var/lib/lxc/105/config"
	btrfs qgroup limit 200M "$vz/105"
	remember A B
	# The check finds that B cannot keep it.
	migrate 10.77.0.2 105
	assert_status 13
	assert_output_has "run 'btrfs quota enable /vz'"
	assert_unchanged A B
	# Without the check the operation fails, and everything is put back.
	migrate --nodeps=quota 10.77.0.2 105
	assert_status 13
	assert_output_has "cannot limit the subvolume '/vz/.105.vzmigrate'"
	assert_unchanged A B
	btrfs -q quota enable "$(root_of B)/vz"
	migrate 10.77.0.2 105
	assert_status 0
	assert_equal "$(limits_of B)" $((200 << 20))
	assert_equal "$(stat -c %i "$(root_of B)/vz/105")" 256
	run ! dd if=/dev/zero of="$(root_of B)/vz/105/filler" bs=1M count=300 status=none
	[ ! -e "$vz/105" ]
	# A migration that fails later takes subvolume and limit away again.
	on B rm /vz/105/filler
	btrfs -q quota enable "$vz" 2>/dev/null || true
	MIGRATE_HOST=B migrate --rsync=--no-such-option 10.77.0.1 105
	assert_status 6
	assert_equal "$(ls -A "$vz")" ""
	assert_equal "$(limits_of B)" $((200 << 20))
	lab ct-remove B 105
}
