#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What is found out on the source before the destination is contacted: the container, its state, the
# programs. The destination does not exist, so that a status other than 4 shows that it was not asked.

load helper

setup() {
	make_node
}

@test "a container that is not there: 10" {
	refused 10 "'nosuch'" nohost.invalid nosuch
	refused 10 "'nosuch'" --online nohost.invalid nosuch
	refused 10 "'nosuch'" --runtime=lxc nohost.invalid nosuch
}

@test "a directory without a configuration is no container: 10" {
	mkdir "$home/empty"
	refused 10 "'empty'" nohost.invalid empty
}

@test "several containers: each has its sentence, the first failure gives the status" {
	vzmigrate --online nohost.invalid nosuch 101 neither
	[ "$status" -eq 10 ] || report "the status is not that of the first"
	[ "$(grep -c '^vzmigrate: ' "$node/err")" -eq 3 ] || report "not one sentence for each"
	grep -q "'nosuch'" "$node/err" && grep -q "'101'" "$node/err" && grep -q "'neither'" "$node/err" ||
		report "a container is not named"
	vzmigrate --online nohost.invalid 101 nosuch
	[ "$status" -eq 2 ] || report "the status is not that of the first"
}

@test "--online of a stopped container: 2" {
	refused 2 "'101'.*(stopped|not running)" --online nohost.invalid 101
	refused 2 "'101'" --live nohost.invalid 101
}

@test "without lxc: 14" {
	without lxc-config lxc-info lxc-ls lxc-start lxc-stop lxc-checkpoint lxc-freeze lxc-unfreeze lxc-wait \
		lxc-attach
	refused 14 'runtime|lxc' nohost.invalid 101
	refused 14 'runtime|lxc' --runtime=lxc nohost.invalid 101
}

@test "without ssh: 14" {
	without ssh
	refused 14 'ssh' nohost.invalid 101
}

@test "a root file system that is no directory is refused with its reason" {
	for path in /dev/null overlayfs:/a:/b loop:/x.img "$home/101/missing"; do
		sed -i "s|^lxc.rootfs.path.*|lxc.rootfs.path = $path|" "$home/101/config"
		before=$(what_is)
		vzmigrate nohost.invalid 101
		[ "$status" -ne 0 ] && [ "$status" -ne 4 ] || report "$path was not refused"
		[ "$(grep -c '' "$node/err")" -eq 1 ] || report "$path: not one sentence"
		[[ $(cat "$node/err") =~ root|directory|not\ there ]] || report "$path: the sentence has no reason"
		[ "$(what_is)" = "$before" ] || report "$path: something changed"
	done
}

@test "a broken configuration is refused" {
	for line in 'lxc.include = /no/such/file' 'no equal sign' "lxc.idmap = u 0"; do
		cp "$home/101/config" "$node/saved"
		echo "$line" >>"$home/101/config"
		vzmigrate nohost.invalid 101
		[ "$status" -ne 0 ] || report "'$line' was not refused"
		[ "$(grep -c '' "$node/err")" -eq 1 ] || report "'$line': not one sentence"
		cp "$node/saved" "$home/101/config"
	done
}
