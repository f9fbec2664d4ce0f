#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Each check made to fail by its real cause: one sentence, its status, and the container unharmed.

load helper

# 101 has what its tests need from outside: a directory and a device that B has only while a test wants it.
setup_file() {
	fresh
	on A mkdir -p /srv/outside
	on A chmod 666 /dev/fuse
	on B chmod 666 /dev/fuse
	on B mkdir -p /srv/outside
	container A 101 mem EXTRA='lxc.mount.entry = /dev/fuse dev/fuse none bind,create=file
lxc.mount.entry = /srv/outside srv/outside none bind,create=dir'
	container A 102 mem START=no PATH_=/vz/private/102
	mkdir "$(root_of A)"/var/lib/lxc/101/rootfs/{mnt,media}
	install -m 755 "$fixtures/refused.py" "$(root_of A)/var/lib/lxc/101/rootfs/srv/refused.py"
}

setup() {
	client_start one 10.77.0.101
	remember A B
}

# Whatever a test did, the client of 101 noticed nothing.
teardown() { client_stop one; }

# judged STATUS TEXT: a dry run of the live migration says so in one sentence, and nothing has changed.
judged() {
	migrate --dry-run "${@:3}" --online 10.77.0.2 101
	verdict "$1" "$2"
}

verdict() {
	assert_status "$1"
	assert_output_has "$2"
	[ "$1" = 0 ] || assert_equal "$(grep -c '^vzmigrate: ' <<<"$output")" 1
	assert_runs_only_on A 101
	assert_equal "$(alive_on 101)" A
}

# inside COMMAND...: in container 101, by lxc-attach.
inside() { on A lxc-attach -n 101 -- "$@" </dev/null 2>&1; }

# has KIND...: a process in 101 that has these; its pid there is in $pid.
has() {
	pid=$(inside python3 /srv/refused.py "$@") || fail "$pid" || return 1
}

end() { inside kill -KILL "$pid"; }

# trees HOST: all that is there, but for what 101 writes all the time and what sshd's login itself writes.
trees() {
	for folder in etc var/lib run; do
		tree_of "$1" "/$folder" --except lxc/101/rootfs/tmp --except motd.dynamic | grep -v "^\.	"
	done
}

@test "a healthy container: go, soon, and nothing is different on either host" {
	local host before after
	for host in A B; do trees "$host" >"$BATS_TEST_TMPDIR/trees-$host"; done
	before=$(date +%s%N)
	migrate --dry-run --online 10.77.0.2 101
	after=$(date +%s%N)
	assert_status 0
	assert_output_has "verdict: go"
	for host in A B; do trees "$host" | diff "$BATS_TEST_TMPDIR/trees-$host" -; done
	assert_unchanged A B
	echo "# dry run: $(((after - before) / 1000000)) ms" >&3
	for _ in 1 2 3 4; do
		[ $(((after - before) / 1000000)) -ge 1500 ] || return 0
		# Somebody else's load may have been the cause, once.
		before=$(date +%s%N)
		migrate --dry-run --online 10.77.0.2 101
		after=$(date +%s%N)
	done
	fail "a dry run takes $(((after - before) / 1000000)) ms"
}

@test "32: a process in a nested namespace" {
	has namespace
	judged 32 "is in a nested UTS namespace"
	assert_output_has "('python3') of container '101'"
	assert_output_has "offline only"
	end
	assert_unchanged A B
}

@test "32: a FUSE mount" {
	has fuse
	judged 32 "has a FUSE file system mounted at '/mnt'"
	end
	inside umount -l /mnt
}

@test "32: an io_uring descriptor" {
	has ring
	judged 32 "[io_uring]"
	end
}

@test "32: a deleted open file of 100 MiB" {
	has deleted
	judged 32 "has a deleted file of 100 MiB open"
	assert_output_has "/srv/gone"
	end
}

@test "32: a process started with a terminal" {
	# Its shell has ended, and lxc-attach serves the terminal until nobody has it open.
	on A script -qc "lxc-attach -n 101 -- sh -c 'setsid sleep 300 & sleep 0.3'" /dev/null </dev/null >/dev/null 2>&1 &
	wait_until 5 on A pgrep -x -f 'sleep 300' >/dev/null
	sleep 0.5
	judged 32 "('sleep') of container '101' was started with a terminal"
	on A kill -KILL "$(on A pgrep -x -f 'sleep 300')"
	wait $!
}

@test "32: a bind mount from outside that is not there" {
	on B rmdir /srv/outside
	judged 32 "mounts '/srv/outside' from outside, which is not there"
	on B touch /srv/outside
	judged 32 "which is a directory on the source and a file here"
	on B rm /srv/outside
	on B mkdir /srv/outside
	assert_unchanged A B
}

@test "32: a mount from outside that the configuration does not demand" {
	local init
	init=$(on A lxc-info -n 101 -pH)
	on A sh -c "mkdir -p /srv/other && exec python3 - $init" <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		tree = libc.syscall(428, -100, b'/srv/other', 1 | 0o2000000)	# open_tree, a clone
		assert tree >= 0
		namespace = os.open('/proc/%s/ns/mnt' % sys.argv[1], os.O_RDONLY)
		root = os.open('/proc/%s/root' % sys.argv[1], os.O_RDONLY)
		assert libc.setns(namespace, 0) == 0
		os.fchdir(root)
		os.chroot('.')
		assert libc.syscall(429, tree, b'', -100, b'/media', 4) == 0	# move_mount
	END
	judged 32 "has '/srv/other' of this node mounted at '/media'"
	on A nsenter -t "$init" -m umount /media
	on A rmdir /srv/other
	assert_unchanged A B
}

@test "32: a socket of the node" {
	on A rm -f /srv/outside/socket /srv/outside/ready
	on A python3 -c "
import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('/srv/outside/socket'); s.listen(); open('/srv/outside/ready', 'w')
import os; os.chmod('/srv/outside/socket', 0o777)
c, _ = s.accept(); time.sleep(60)" 3>&- &
	listener=$!
	wait_until 10 test -e "$(root_of A)/srv/outside/ready"
	sleep 0.2
	has socket
	judged 32 "is connected to the socket '/srv/outside/socket'"
	end
	kill "$listener"
	on A rm /srv/outside/socket /srv/outside/ready
}

@test "9: the host name is another container's" {
	container B 103 mem START=no
	sed -i 's/ct103/ct101/' "$(root_of B)/var/lib/lxc/103/config"
	judged 9 "the host name 'ct101' of container '101' is that of container '103'"
	migrate --dry-run --nodeps=hostname --online 10.77.0.2 101
	assert_status 0
	assert_output_has "hostname         destination  skipped"
	lab ct-remove B 103
	assert_unchanged A B
}

@test "9: the private area would be inside another container's" {
	container B 103 mem START=no
	migrate --dry-run 10.77.0.2 102:102:/var/lib/lxc/103/rootfs/srv/inner
	verdict 9 "would be inside container '103'"
	lab ct-remove B 103
	assert_unchanged A B
}

@test "20: somebody holds the container, here or there" {
	local host
	for host in A B; do
		on "$host" mkdir -p /run/lock/vzmigrate
		on "$host" flock /run/lock/vzmigrate/101.lock sleep 3 3>&- &
		sleep 0.5
		judged 20 "another operation holds container '101'"
		wait $!
		on "$host" rm -r /run/lock/vzmigrate
	done
	assert_unchanged A B
}

@test "12: another machine of the network has its address" {
	# C stands for a machine that B knows nothing of, and 102 has another MAC.
	on C ip addr add 10.77.0.102/32 dev br0
	on C ip addr add fd77::102/64 dev br0 nodad
	migrate --dry-run 10.77.0.2 102
	verdict 12 "10.77.0.102/24 of container '102' is in use in the network of 'br0'"
	assert_output_has "fd77::102/64 of container '102' is in use"
	on C ip addr del 10.77.0.102/32 dev br0
	on C ip addr del fd77::102/64 dev br0
	assert_unchanged A B
}

@test "32: the bridge there takes smaller packets; a device of its name is there" {
	on B ip link set br0 mtu 1400
	judged 32 "takes packets of 1400 bytes here and of 1500"
	assert_output_has "verdict: offline only"
	on B ip link set br0 mtu 1500
	echo 'lxc.net.0.veth.pair = veth102.0' >>"$(root_of A)/var/lib/lxc/102/config"
	on B ip link add veth102.0 type veth
	migrate --dry-run 10.77.0.2 102
	verdict 32 "is to be 'veth102.0' on the node"
	on B ip link del veth102.0
	sed -i '/veth102.0/d' "$(root_of A)/var/lib/lxc/102/config"
	assert_unchanged A B
}

@test "32: newuidmap is there, and root may not use the ids" {
	on B cp /bin/true /usr/bin/newuidmap
	on B cp /bin/true /usr/bin/newgidmap
	on B chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap
	judged 0 "verdict: go"
	on B sed -i.before '/^root:/d' /etc/subuid
	judged 32 "add the line 'root:100000:65536' to '/etc/subuid'"
	on B mv /etc/subuid.before /etc/subuid
	on B rm /usr/bin/newuidmap /usr/bin/newgidmap
	assert_unchanged A B
}

@test "31: no blocks, or no inodes, for the files" {
	on B mount -t tmpfs -o size=20M small /vz
	migrate --dry-run 10.77.0.2 102
	verdict 31 "'/vz', and 20 are free"
	on B umount /vz
	on B mount -t tmpfs -o nr_inodes=50 small /vz
	migrate --dry-run 10.77.0.2 102
	verdict 31 "has only 49 inodes free"
	migrate --dry-run --nodeps=disk_space 10.77.0.2 102
	assert_status 0
	on B umount /vz
	assert_unchanged A B
}

# bats test_tags=vm
@test "31: no memory for the images" {
	local group used=usage_in_bytes limit=limit_in_bytes none=-1
	group=$(host_cgroup B memory)
	[ -e "$group/memory.$limit" ] || { used=current limit=max none=max; }
	echo $(($(cat "$group/memory.$used") + (40 << 20))) >"$group/memory.$limit"
	judged 31 "MiB in memory; its images and its processes need"
	echo $none >"$group/memory.$limit"
	assert_unchanged A B
}

@test "32: files that the file system there cannot keep" {
	python3 -c "import os, sys; os.setxattr(sys.argv[1], 'user.test', b'1')" "$(root_of A)/vz/private/102/srv"
	# ramfs keeps no attributes, whoever they are of.
	on B mount -t ramfs ramfs /vz
	migrate --dry-run --nodeps=disk_space 10.77.0.2 102
	on B umount /vz
	verdict 32 "have extended attributes, which the file system of '/vz' does not keep"
	assert_unchanged A B
}

@test "32: an included file is not there" {
	on A sh -c 'echo "lxc.arch = x86_64" >/etc/lxc/checks.conf; echo "lxc.include = /etc/lxc/checks.conf" >>/var/lib/lxc/102/config'
	migrate --dry-run 10.77.0.2 102
	verdict 32 "includes '/etc/lxc/checks.conf', which is not there"
	on A sh -c 'rm /etc/lxc/checks.conf; sed -i /checks.conf/d /var/lib/lxc/102/config'
	assert_unchanged A B
}

@test "18: the CPU there lacks what the source has" {
	# No second CPU is at hand: the source's criu tells of one that has everything.
	on A mv /usr/sbin/criu /usr/sbin/criu.real
	cat >"$(root_of A)/usr/sbin/criu" <<-'END'
		#!/bin/sh
		/usr/sbin/criu.real "$@" || exit
		[ "$1 $2" != 'cpuinfo dump' ] || python3 - "$4/cpuinfo.img" <<'CODE'
		import sys
		image = open(sys.argv[1], 'rb').read()
		# The capabilities are packed 32-bit varints: every bit of every word that is not 0.
		out, at = bytearray(), 0
		while at < len(image):
		    if image[at] >= 0x80 and at > 12:
		        end = at
		        while image[end] >= 0x80: end += 1
		        if end - at == 4:
		            out += bytes([0xff, 0xff, 0xff, 0xff, 0x0f]); at = end + 1; continue
		    out.append(image[at]); at += 1
		open(sys.argv[1], 'wb').write(out)
		CODE
	END
	on A chmod 755 /usr/sbin/criu
	migrate --dry-run --online 10.77.0.2 101
	on A mv /usr/sbin/criu.real /usr/sbin/criu
	verdict 18 "the CPU of this node lacks"
	assert_output_has "verdict: offline only"
}

@test "14: criu is older there" {
	on B mv /usr/sbin/criu /usr/sbin/criu.real
	printf '#!/bin/sh\n[ "$1" = --version ] && echo "Version: 4.1.1" && exit\nexec criu.real "$@"\n' >"$(root_of B)/usr/sbin/criu"
	on B chmod 755 /usr/sbin/criu
	migrate --dry-run --online 10.77.0.2 101
	on B mv /usr/sbin/criu.real /usr/sbin/criu
	verdict 14 "criu is 4.1 here and 4.2 on the source"
}

@test "32: a controller is not mounted there" {
	on B umount /sys/fs/cgroup/blkio
	judged 32 "has no cgroups of 'blkio'"
	on B mount -t cgroup -o blkio cgroup /sys/fs/cgroup/blkio
}

@test "without a dry run what stops it is the failure, and the rest is said" {
	on B rmdir /srv/outside
	on B ip link set br0 mtu 1400
	migrate --online 10.77.0.2 101
	on B ip link set br0 mtu 1500
	on B mkdir /srv/outside
	assert_status 32
	assert_output_has "vzmigrate: 10.77.0.2: container '101' mounts '/srv/outside'"
	assert_output_has "warning: check bridge on 10.77.0.2"
	refute_output_has "check exists"
	assert_runs_only_on A 101
	assert_unchanged A B
}
