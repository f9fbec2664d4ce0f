# SPDX-License-Identifier: GPL-2.0-or-later
# container.sh: alone responsible for making and removing containers in a host (sourced by scripts/lab): their
# trees, and what lxc is told of them; oci.sh has what runc and crun are told.
# shellcheck shell=bash disable=SC2154 # what scripts/lab sets

# ct HOST ID KIND [KEY=VALUE...]: one copy of a cached tree, a configuration, and a start.
#	RUNTIME=lxc  or runc, crun: the container is then a bundle, /var/lib/oci/ID
#	PRIV=no      yes: without user namespace
#	MB=64        mem, memory: memory to fill with random bytes    DIRTY=4  of which so many MB/s are rewritten
#	PROCESSES, NOISE, CHANGES, SHARED, LOCKED    memory: see fixtures/memory/main.c
#	FILES=0      so many small files below /srv/tree       NASTY=no yes: what mktree makes, in /srv/nasty
#	START=yes    no: leave it stopped
#	CHURN=no     mem, memory: yes: churn.py changes /srv/churn all the time
#	IP=ID        last part of its addresses (10.77.0.IP, fd77::IP); its MAC ends so, too
#	PATH_=/var/lib/lxc/ID/rootfs   its private area        EXTRA='' lines added to its configuration
#	(runc, crun: an object of JSON that is merged into it)
#	NET=yes      runc, crun: no: no network namespace that has a name, so no network but loopback
ct() {
	local host=$1 id=$2 kind=$3
	shift 3
	local RUNTIME=lxc PRIV=no MB=64 DIRTY=4 FILES=0 NASTY=no START=yes CHURN=no IP=$id PATH_="" EXTRA="" NET=yes
	local PROCESSES="" NOISE="" CHANGES="" SHARED="" LOCKED=""
	local pair root folder tree
	for pair; do
		case ${pair%%=*} in
		RUNTIME | PRIV | MB | DIRTY | FILES | NASTY | START | CHURN | IP | PATH_ | EXTRA | NET | PROCESSES | NOISE | CHANGES | SHARED | LOCKED) printf -v "${pair%%=*}" %s "${pair#*=}" ;;
		*) die "ct: unknown key in '$pair'" ;;
		esac
	done
	folder=$(folder_of "$RUNTIME" "$id")
	PATH_=${PATH_:-$folder/rootfs}
	root=$(root_of "$host")
	tree=$root$PATH_
	[ ! -e "$root$folder" ] || die "ct: container '$id' is in host $host already"
	[ ! -e "$tree" ] || die "ct: '$PATH_' is in host $host already"
	mkdir -p "$root$folder" "$(dirname "$tree")"
	chmod 755 "$root$(dirname "$folder")" "$root$folder"
	make_tree "$tree" "$kind"
	if [ "$RUNTIME" != lxc ]; then
		oci_configure "$host" "$id" "$folder"
		[ "$START" = no ] || oci_start "$host" "$id" "$folder"
	else
		write_config "$id" "$IP" "$PATH_" "$PRIV" "$EXTRA" >"$root$folder/config"
		[ "$START" = no ] || x "$host" lxc-start -n "$id" -d </dev/null
	fi
	[ "$START" = no ] || [ "$NET" = no ] || wait_for_service "$host" "$id" "$kind" "$IP"
}

# folder_of RUNTIME ID: where in a host a container's configuration is.
folder_of() {
	case $1 in
	lxc) echo "/var/lib/lxc/$2" ;;
	runc | crun) echo "/var/lib/oci/$2" ;;
	*) die "ct: no runtime '$1'" ;;
	esac
}

# environment: what the container's programs are told by the keys of ct, one NAME=VALUE a line.
environment() {
	local name
	for name in MB DIRTY PROCESSES NOISE CHANGES SHARED LOCKED; do
		[ -z "${!name}" ] || echo "$name=${!name}"
	done
	[ "$CHURN" = no ] || echo "CHURN=$CHURN"
}

# program NAME: the path of a fixture that is written in C, compiled once for each state of its source. It is
# static: a container has no libraries but its own.
program() {
	local source=$fixtures/$1 built stamp
	stamp=$(cat "$source"/*.[ch] | sha256sum)
	built=$lab/programs/$1-${stamp:0:12}
	if [ ! -x "$built" ]; then
		mkdir -p "$lab/programs"
		gcc -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -static -pthread -o "$built.$$" "$source"/*.c ||
			die "cannot compile $source"
		rm -f "$lab/programs/$1"-????????????
		mv "$built.$$" "$built"
	fi
	echo "$built"
}

# add_redis FROM TREE: redis, and the libraries that it wants, into the small tree of a mem container.
add_redis() {
	local from=$1 tree=$2 file
	for file in /usr/bin/redis-server $(chroot "$from" ldd /usr/bin/redis-server | grep -oE '/[^ )]+'); do
		[ -e "$tree$file" ] || cp -L "$from$file" "$tree$file"
	done
	mkdir "$tree/var/lib/redis"
	[ "$PRIV" = yes ] || chown 100000:100000 "$tree/var/lib/redis"
}

# make_tree TREE KIND: by the keys of ct.
make_tree() {
	local tree=$1 kind=$2 image like=$2 file shifted=""
	image=$(image_path)
	[ "$kind" = pg ] || like=mem
	[ "$PRIV" = yes ] || shifted=-shifted
	cp -a "$image/$like$shifted" "$tree"
	[ "$kind" != redis ] || add_redis "$image/pg" "$tree"
	[ "$kind" != memory ] || install -m 755 "$(program memory)" "$tree/sbin/memory"
	install -m 755 "$fixtures/ctinit-$kind" "$tree/sbin/ctinit"
	install -m 644 "$fixtures/work.py" "$fixtures/churn.py" "$tree/srv"
	[ "$FILES" = 0 ] || python3 "$fixtures/mkfiles.py" "$tree/srv/tree" "$FILES"
	if [ "$NASTY" = yes ]; then
		if [ "$PRIV" = no ]; then
			python3 "$fixtures/mktree" "$tree/srv/nasty" 100000
		else
			python3 "$fixtures/mktree" "$tree/srv/nasty" 0 --devices
		fi
	fi
	if [ "$PRIV" = no ]; then
		for file in sbin/ctinit sbin/memory srv/work.py srv/churn.py srv/tree; do
			[ ! -e "$tree/$file" ] || python3 "$fixtures/shift.py" "$tree/$file" 100000
		done
	fi
}

write_config() {
	local id=$1 ip=$2 path=$3 privileged=$4 extra=$5
	cat <<-END
		lxc.uts.name = ct$id
		lxc.rootfs.path = dir:$path
		lxc.init.cmd = /sbin/ctinit
		$(environment | sed 's/^/lxc.environment = /')
		lxc.net.0.type = veth
		lxc.net.0.link = br0
		lxc.net.0.flags = up
		lxc.net.0.name = eth0
		lxc.net.0.hwaddr = 00:16:3e:00:01:$(printf %02x "$ip")
		lxc.net.0.ipv4.address = $network.$ip/24
		lxc.net.0.ipv6.address = $network6:$ip/64
		lxc.tty.max = 0
		lxc.console.path = none
		lxc.pty.max = 1
		lxc.mount.auto = proc:rw sys:rw
	END
	[ "$privileged" = yes ] || printf 'lxc.idmap = %s 0 100000 65536\n' u g
	[ -z "$extra" ] || printf '%s\n' "$extra"
}

# wait_for_service HOST ID KIND IP: until the container's own service answers (pg: takes writes).
wait_for_service() {
	local host=$1 id=$2 kind=$3 ip=$4 tries
	for tries in {1..300}; do
		case $kind in
		mem | memory) ! x "$host" python3 -c "import socket; socket.create_connection(('$network.$ip', 7000), 1)" 2>/dev/null || return 0 ;;
		redis) ! x "$host" python3 -c "import socket; socket.create_connection(('$network.$ip', 6379), 1)" 2>/dev/null || return 0 ;;
		pg) ! x "$host" psql -h "$network.$ip" -U postgres -qc 'create temporary table t ()' >/dev/null 2>&1 || return 0 ;;
		esac
		sleep 0.05
	done
	die "container '$id' does not answer in host $host after $tries tries"
}

ct_remove() {
	local host=$1 id=$2 root path
	root=$(root_of "$host")
	oci_remove "$host" "$id"
	[ -e "$root/var/lib/lxc/$id" ] || return 0
	if [ -e "$root/sys/fs/cgroup/freezer/lxc.payload.$id/freezer.state" ]; then
		echo THAWED >"$root/sys/fs/cgroup/freezer/lxc.payload.$id/freezer.state"
	fi
	x "$host" timeout 20 lxc-stop -k -n "$id" </dev/null >/dev/null 2>&1 || true
	path=$(sed -n 's/^lxc\.rootfs\.path *= *\(dir:\)\?//p' "$root/var/lib/lxc/$id/config")
	rm -rf --one-file-system "${root:?}${path:?}" "$root/var/lib/lxc/$id"
}
