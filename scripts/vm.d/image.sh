# SPDX-License-Identifier: GPL-2.0-or-later
# image.sh: alone responsible for the cached parts of a virtual machine (sourced by scripts/vm).
# shellcheck shell=bash disable=SC2154 # what scripts/vm and lab.d/image.sh set
#
#	$vm/machine/disk      its root: the tree of a lab's host with what the tests need, and below
#	                      /var/cache/vzmigrate-lab the whole image of the lab, so that `lab up` starts at once
#	$vm/machine/vmlinuz   Debian's kernel: downloaded and unpacked, never installed
#	$vm/emulator          the tree that QEMU runs in: Debian 13's QEMU 10 is twice as fast as Debian 12's, whose
#	                      two mistakes (cmpxchg16b, a kernel that changes its own text) crash a guest at random
#
# As with the lab's image a set is built under a temporary name, and its name carries a checksum of the recipes.

# 6.1 has soft-dirty pages and no asynchronous write protection: what Debian 12's admins have. The lab's own
# image is one suite newer.
kernel_suite=bookworm
kernel_package=linux-image-cloud-amd64	# NVMe and ext4 are built in
# With the libraries that are of the release of criu's libnl.
guest_packages="bats kmod e2fsprogs procps quota libnl-genl-3-200/$criu_suite"
emulator_packages="qemu-system-x86 libnl-route-3-200/$criu_suite"

# Beyond what is on it.
disk_room_mib=4096

# vm_path: where the parts of this recipe lie, built or not.
vm_path() {
	local stamp
	stamp=$({
		image_path
		grep -v '^[[:space:]]*#' "$here/vm.d/image.sh"
	} | sha256sum)
	echo "$lab/vm-${stamp:0:12}"
}

# vm_image: build them unless they are there.
vm_image() {
	local final
	final=$(vm_path)
	[ ! -d "$final" ] || return 0
	[ "$(uname -m)" = x86_64 ] || die "the virtual machine is an x86_64, which this machine is not"
	image
	log=$lab/vm.log
	(
		flock 8
		[ ! -d "$final" ] || exit 0
		echo "vm: building a virtual machine's disk, kernel and emulator, once (a minute or two; $log)" >&2
		rm -rf --one-file-system "$lab/vm.building"
		mkdir -p "$lab/vm.building/machine"
		: >"$log"
		# A subshell that is not the condition of an if: there set -e holds.
		(
			set -e
			build_guest "$lab/vm.building/emulator" "$lab/vm.building/machine"
			build_disk "$lab/vm.building/emulator" "$lab/vm.building/machine/disk"
			build_emulator "$lab/vm.building/emulator"
		) &
		if ! wait $!; then
			tail -n 20 "$log" >&2
			die "building the virtual machine failed; the end of $log is above"
		fi
		rm -rf --one-file-system "$lab"/vm-*
		mv "$lab/vm.building" "$final"
	) 8>"$lab/vm.lock" </dev/null
}

# build_guest TREE MACHINE: the tree that becomes the disk, and the kernel.
build_guest() {
	local tree=$1 machine=$2 package file
	cp -a "$(image_path)/host" "$tree"
	echo "deb $(mirror) $kernel_suite main" >"$tree/etc/apt/sources.list.d/$kernel_suite.list"
	printf 'Package: *\nPin: release n=%s\nPin-Priority: 50\n' $kernel_suite >"$tree/etc/apt/preferences.d/$kernel_suite"
	in_tree "$tree" apt-get update
	# shellcheck disable=SC2086
	in_tree "$tree" apt-get install -y --no-install-recommends $guest_packages
	rm "$tree/etc/apt/preferences.d/$kernel_suite"
	package=$(chroot "$tree" apt-cache -o "APT::Default-Release=$kernel_suite" depends $kernel_package |
		sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
	[ -n "$package" ] || die "$kernel_suite has no $kernel_package"
	mkdir "$tree/var/tmp/kernel"
	in_tree "$tree" sh -c 'cd /var/tmp/kernel && exec apt-get download "$1"' _ "$package"
	file=$(echo "$tree"/var/tmp/kernel/*.deb)
	dpkg-deb --fsys-tarfile "$file" | tar -x -C "$tree" --keep-directory-symlink ./boot ./lib/modules
	rm -r "$tree/var/tmp/kernel"
	mv "$tree"/boot/vmlinuz-* "$machine/vmlinuz"
	rm -f "$tree"/boot/*
	in_tree "$tree" depmod "$(basename "$tree"/usr/lib/modules/*)"
	mkdir -p "$tree/project" "$tree/sys/fs/cgroup"
	write_first_process "$tree/sbin/vm-init"
}

# What is on the disk of the first process: it takes the project from the second disk, and the rest is there.
write_first_process() {
	cat >"$1" <<-'END'
		#!/bin/sh
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		tar -x -f /dev/nvme0n2 -C /project
		exec /project/scripts/vm.d/guest-init
	END
	chmod 755 "$1"
}

# build_disk TREE DISK: the lab's image is seen at its place while the disk is made, not copied to it before.
build_disk() {
	local tree=$1 disk=$2 at size
	at=$tree/var/cache/vzmigrate-lab/$(basename "$(image_path)")
	mkdir -p "$at"
	size=$(($(du -smc "$tree" "$(image_path)" | tail -n 1 | cut -f 1) * 5 / 4 + disk_room_mib))
	truncate -s "${size}M" "$disk"
	# shellcheck disable=SC2016	# expanded by the inner shell
	unshare --mount --propagation private sh -ec 'mount --bind "$1" "$2"
		exec mke2fs -q -t ext4 -m 0 -O ^has_journal -E lazy_itable_init=1,nodiscard -d "$3" "$4"' _ \
		"$(image_path)" "$at" "$tree" "$disk" >>"$log" 2>&1
}

# build_emulator TREE: what was the guest's tree serves on, as the emulator's.
build_emulator() {
	local tree=$1
	rm -rf "$tree"/usr/lib/modules
	# shellcheck disable=SC2086
	in_tree "$tree" apt-get install -y --no-install-recommends $emulator_packages
	in_tree "$tree" qemu-system-x86_64 --version
	slim "$tree"
	mkdir -p "$tree"/mnt/{machine,run}
}
