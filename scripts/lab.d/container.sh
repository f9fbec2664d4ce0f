# SPDX-License-Identifier: GPL-2.0-or-later
# container.sh: alone responsible for making and removing lxc containers in a host (sourced by scripts/lab).
# shellcheck shell=bash disable=SC2154 # what scripts/lab sets

# ct HOST ID KIND [KEY=VALUE...]: one copy of a cached tree, a configuration, and lxc-start.
#	PRIV=no      yes: without user namespace
#	MB=64        mem: memory to fill with random bytes    DIRTY=4  of which so many MB/s are rewritten
#	FILES=0      so many small files below /srv/tree       NASTY=no yes: what mktree makes, in /srv/nasty
#	START=yes    no: leave it stopped
#	IP=ID        last part of its addresses (10.77.0.IP, fd77::IP); its MAC ends so, too
#	PATH_=/var/lib/lxc/ID/rootfs   its private area        EXTRA='' lines added to its configuration
ct() {
	local host=$1 id=$2 kind=$3
	shift 3
	local PRIV=no MB=64 DIRTY=4 FILES=0 NASTY=no START=yes IP=$id PATH_=/var/lib/lxc/$id/rootfs EXTRA=""
	local pair root config tree image
	for pair; do
		case ${pair%%=*} in
		PRIV | MB | DIRTY | FILES | NASTY | START | IP | PATH_ | EXTRA) printf -v "${pair%%=*}" %s "${pair#*=}" ;;
		*) die "ct: unknown key in '$pair'" ;;
		esac
	done
	image=$(image_path)
	root=$(root_of "$host")
	config=$root/var/lib/lxc/$id
	tree=$root$PATH_
	[ ! -e "$config" ] || die "ct: container '$id' is in host $host already"
	[ ! -e "$tree" ] || die "ct: '$PATH_' is in host $host already"
	mkdir -p "$config" "$(dirname "$tree")"
	chmod 755 "$root/var/lib/lxc" "$config"
	if [ "$PRIV" = no ]; then
		cp -a "$image/$kind-shifted" "$tree"
	else
		cp -a "$image/$kind" "$tree"
	fi
	install -m 755 "$fixtures/ctinit-$kind" "$tree/sbin/ctinit"
	install -m 644 "$fixtures/work.py" "$tree/srv/work.py"
	[ "$FILES" = 0 ] || python3 "$fixtures/mkfiles.py" "$tree/srv/tree" "$FILES"
	if [ "$NASTY" = yes ]; then
		if [ "$PRIV" = no ]; then
			python3 "$fixtures/mktree" "$tree/srv/nasty" 100000
		else
			python3 "$fixtures/mktree" "$tree/srv/nasty" 0 --devices
		fi
	fi
	if [ "$PRIV" = no ]; then
		for pair in sbin/ctinit srv/work.py srv/tree; do
			[ ! -e "$tree/$pair" ] || python3 "$fixtures/shift.py" "$tree/$pair" 100000
		done
	fi
	write_config "$id" "$IP" "$PATH_" "$MB" "$DIRTY" "$PRIV" "$EXTRA" >"$config/config"
	[ "$START" = yes ] || return 0
	x "$host" lxc-start -n "$id" -d </dev/null
	wait_for_service "$host" "$id" "$kind" "$IP"
}

write_config() {
	local id=$1 ip=$2 path=$3 mb=$4 dirty=$5 privileged=$6 extra=$7
	cat <<-END
		lxc.uts.name = ct$id
		lxc.rootfs.path = dir:$path
		lxc.init.cmd = /sbin/ctinit
		lxc.environment = MB=$mb
		lxc.environment = DIRTY=$dirty
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
		mem) ! x "$host" python3 -c "import socket; socket.create_connection(('$network.$ip', 7000), 1)" 2>/dev/null || return 0 ;;
		pg) ! x "$host" psql -h "$network.$ip" -U postgres -qc 'create temporary table t ()' >/dev/null 2>&1 || return 0 ;;
		esac
		sleep 0.05
	done
	die "container '$id' does not answer in host $host after $tries tries: $(x "$host" timeout 5 lxc-info -n "$id" -s)"
}

ct_remove() {
	local host=$1 id=$2 root path
	root=$(root_of "$host")
	[ -e "$root/var/lib/lxc/$id" ] || return 0
	if [ -e "$root/sys/fs/cgroup/freezer/lxc.payload.$id/freezer.state" ]; then
		echo THAWED >"$root/sys/fs/cgroup/freezer/lxc.payload.$id/freezer.state"
	fi
	x "$host" timeout 20 lxc-stop -k -n "$id" </dev/null >/dev/null 2>&1 || true
	path=$(sed -n 's/^lxc\.rootfs\.path *= *\(dir:\)\?//p' "$root/var/lib/lxc/$id/config")
	rm -rf --one-file-system "${root:?}${path:?}" "$root/var/lib/lxc/$id"
}
