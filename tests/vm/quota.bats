#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Project quotas of ext4: the private area's limit moves with it, and holds there.
# bats file_tags=vm

load ../lab/helper

# Ids from here on are of vzmigrate's choosing (src/system/quota_project.c).
chosen=1000000

setup() { fresh; }

teardown() {
	local host
	stop_clients
	thaw_all
	for host in A B; do
		for folder in "$(root_of $host)"/var/lib/lxc/*/; do
			[ ! -e "$folder" ] || lab ct-remove "$host" "$(basename "$folder")"
		done
		disk_gone "$host"
	done
}

# disk_at HOST OPTIONS: its /vz is an ext4 of its own that counts projects; seen here as disk_of HOST.
disk_at() {
	mkdir -p "$(disk_of "$1")"
	rm -f "$BATS_TEST_TMPDIR/image-$1"
	truncate -s 1G "$BATS_TEST_TMPDIR/image-$1"
	mkfs.ext4 -q -O project,quota -E quotatype=prjquota "$BATS_TEST_TMPDIR/image-$1"
	disk_mount "$1" "$2"
}

disk_of() { echo "$BATS_TEST_TMPDIR/vz-$1"; }

disk_mount() {
	local device
	mount -o "loop,$2" "$BATS_TEST_TMPDIR/image-$1" "$(disk_of "$1")"
	device=$(findmnt -n -o SOURCE "$(disk_of "$1")")
	mknod "$(root_of "$1")/dev/vz-disk" b 7 "${device#/dev/loop}"
	on "$1" mount -t ext4 /dev/vz-disk /vz
	rm "$(root_of "$1")/dev/vz-disk"
}

disk_gone() {
	! mountpoint -q "$(root_of "$1")/vz" || ! [ -d "$(disk_of "$1")/lost+found" ] || on "$1" umount -l /vz
	! mountpoint -q "$(disk_of "$1")" || umount "$(disk_of "$1")"
}

# limits_of HOST: the projects that have limits: "ID BLOCKS-SOFT BLOCKS-HARD FILES-SOFT FILES-HARD", blocks of 1 KiB.
limits_of() {
	repquota -P -v -n -O csv "$(disk_of "$1")" | awk -F , 'NR > 1 && $5 + $6 + $9 + $10 > 0 { sub(/#/, "", $1); print $1, $5, $6, $9, $10 }'
}

# project_of HOST PATH: "ID FLAGS" of a directory.
project_of() { lsattr -p -d "$(disk_of "$1")/$2" | awk '{ print $1, $2 }'; }

# limited_container ID: in project ID of A's /vz, as an admin makes it, and running.
limited_container() {
	container A "$1" mem MB=16 START=no PATH_="/vz/$1"
	find "$(disk_of A)/$1" -type d -exec chattr +P -p "$1" {} + , -type f -exec chattr -p "$1" {} +
	setquota -P "$1" 150000 200000 4000 5000 "$(disk_of A)"
	on A lxc-start -n "$1" -d </dev/null
	# The last file that it makes.
	wait_until 10 test -e "$(disk_of A)/$1/tmp/loop"
}

# bats test_tags=vm:short
@test "a project quota moves live with the private area, holds there, and is gone where nothing is left" {
	disk_at A prjquota
	disk_at B prjquota
	limited_container 105
	assert_equal "$(limits_of A)" "105 150000 200000 4000 5000"
	migrate --online 10.77.0.2 105
	assert_status 0
	assert_runs_only_on B 105
	assert_memory 105
	# A project of its own, which everything in it is of.
	read -r number flags <<<"$(project_of B 105)"
	[ "$number" -ge $chosen ]
	[[ $flags == *P* ]]
	assert_equal "$(limits_of B)" "$number 150000 200000 4000 5000"
	assert_equal "$(lsattr -R -p "$(disk_of B)/105" 2>/dev/null | awk 'NF == 3 && $1 ~ /^[0-9]+$/ { print $1 }' | sort -u)" "$number"
	# Processes of the container cannot get beyond it (root of the node may).
	run on B lxc-attach -n 105 -- dd if=/dev/zero of=/srv/filler bs=1M count=300 </dev/null
	[ "$status" -ne 0 ]
	assert_output_has "Disk quota exceeded"
	on B lxc-attach -n 105 -- rm /srv/filler </dev/null
	# An admin's project may be used elsewhere: its limit stays. What vzmigrate chose goes with the container.
	assert_equal "$(limits_of A)" "105 150000 200000 4000 5000"
	MIGRATE_HOST=B migrate 10.77.0.1 105
	assert_status 0
	assert_runs_only_on A 105
	assert_equal "$(limits_of B)" ""
	read -r number flags <<<"$(project_of A 105)"
	[ "$number" -ge $chosen ]
	assert_equal "$(limits_of A | grep "^$number ")" "$number 150000 200000 4000 5000"
}

@test "13: a destination that does not enforce project quotas is refused, and left as it was" {
	disk_at A prjquota
	# It has the feature and counts, but limits nobody.
	disk_at B defaults
	limited_container 105
	remember A B
	migrate --online 10.77.0.2 105
	assert_status 13
	assert_output_has "mount it with project quotas (prjquota)"
	assert_unchanged A B
	# What is made in a directory of a project is of that project, and cannot leave it.
	disk_gone B
	disk_at B prjquota
	chattr +P -p 77 "$(disk_of B)"
	remember B
	migrate --online 10.77.0.2 105
	assert_status 13
	assert_output_has "belongs to its project 77"
	assert_unchanged A B
	assert_equal "$(limits_of B)" ""
}

@test "a move that fails takes its project and limit away again" {
	disk_at A prjquota
	disk_at B prjquota
	limited_container 105
	remember A B
	migrate --online --rsync=--no-such-option 10.77.0.2 105
	assert_status 6
	assert_unchanged A B
	assert_equal "$(limits_of B)" ""
	assert_equal "$(limits_of A)" "105 150000 200000 4000 5000"
}

@test "a directory that shares a project with its neighbours has no limit of its own" {
	disk_at A prjquota
	chattr +P -p 77 "$(disk_of A)"
	setquota -P 77 0 800000 0 0 "$(disk_of A)"
	container A 105 mem MB=16 START=no PATH_=/vz/105
	read -r number _ <<<"$(project_of A 105)"
	assert_equal "$number" 77
	migrate 10.77.0.2 105
	assert_status 0
	[ -d "$(root_of B)/vz/105/srv" ]
	assert_equal "$(limits_of A)" "77 0 800000 0 0"
	MIGRATE_HOST=B migrate 10.77.0.1 105
	assert_status 0
	read -r number _ <<<"$(project_of A 105)"
	assert_equal "$number" 77
}
