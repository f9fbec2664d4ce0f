# SPDX-License-Identifier: GPL-2.0-or-later
# host.sh: alone responsible for a host's life: starting, entering and stopping it (sourced by scripts/lab).
# shellcheck shell=bash disable=SC2154 # what scripts/lab sets
#
# A host is a process (lab.d/host-init) with its own mount, pid, uts, ipc, net and cgroup namespaces.
# $lab/hosts/A has
#	root/    where its root is mounted: an overlay over the image, seen from here too
#	upper/   what it changed        disk/   its /var/lib, /vz and /srv: a real file system, for criu;
#	                                        with VZMIGRATE_LAB_DISK=MB one of its own, of so many MiB
#	pid      "PID STARTTIME" of its first process, as seen from here; log: what that process said
#	cgroup   v2: the cgroup that its processes are in

# What vzmigrate sets in the kernel while it restores; the hosts share it. $lab/setting is what it was.
setting=/proc/sys/vm/unprivileged_userfaultfd

# pid_of HOST: the host's first process; fails when the host is not up (a recycled pid is not it).
pid_of() {
	local pid start stat
	[ -r "$lab/hosts/$1/pid" ] && read -r pid start <"$lab/hosts/$1/pid" || return 1
	stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	# A zombie is down; field 22 of stat is the start time, 20th after the name.
	[ "$1" != Z ] && [ "${20}" = "$start" ] && echo "$pid"
}

is_up() { pid_of "$1" >/dev/null; }

root_of() {
	number "$1" >/dev/null
	# /proc/PID/root follows the host's own mounts (/run, /tmp, /var/lib), the mount point does not.
	echo "/proc/$(pid_of "$1" || die "host $1 is not up")/root"
}

# cgroup_roots: the hierarchies' mount points: one for each v1 controller, or the one of v2.
cgroup_roots() {
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		echo /sys/fs/cgroup
	else
		printf '%s\n' /sys/fs/cgroup/*/ | sed 's,/$,,'
	fi
}

# join_cgroups HOST: move this shell (a subshell: BASHPID) to the host's cgroups.
join_cgroups() {
	local root
	for root in $(cgroup_roots); do
		if [ "$root" = /sys/fs/cgroup ]; then
			echo $BASHPID >"$(cat "$lab/hosts/$1/cgroup")/cgroup.procs"
		else
			echo $BASHPID >"$root/$cgroup$1/cgroup.procs"
		fi
	done
}

# With v2 processes are in the host's cgroup "init", or it could not pass controllers on to runc's and crun's
# containers. LXC's are below "init", where lxc-checkpoint sends criu, too: they have no controllers, because only a
# machine's own root may have processes beside them. With VZMIGRATE_LAB_CGROUP=machine a host that is booted has that
# root in common with others, and no cgroup namespace: two containers of one name are not for such hosts.

make_cgroups() {
	local root file processes
	for root in $(cgroup_roots); do
		mkdir -p "$root/$cgroup$1"
		if [ "$root" = /sys/fs/cgroup ]; then
			mkdir -p "$root/$cgroup$1/init"
			processes=$root/$cgroup$1/init
			[ "${VZMIGRATE_LAB_CGROUP-}" != machine ] || processes=$root
			echo "$processes" >"$lab/hosts/$1/cgroup"
		fi
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$root/tasks" ] || [ ! -e "$root/$file" ] || cat "$root/$file" >"$root/$cgroup$1/$file"
		done
	done
}

remove_cgroups() {
	local root tries
	for root in $(cgroup_roots); do
		for tries in 1 2 3 4 5 6 7 8 9 10; do
			[ -d "$root/$cgroup$1" ] || break
			find "$root/$cgroup$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
			[ "$tries" = 1 ] || sleep 0.1
		done
	done
}

close_descriptors() {
	local descriptor
	for descriptor in "/proc/$BASHPID/fd"/*; do
		descriptor=${descriptor##*/}
		[ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
	done
}

# x HOST COMMAND...: a command in a host. Descriptors above 2 stay here: what the command leaves running
# must not hold those of a test harness, nor give criu a foreign file to dump.
x() {
	local pid
	pid=$(pid_of "$1") || die "host $1 is not up"
	(
		join_cgroups "$1"
		shift
		close_descriptors
		cd /
		exec /usr/bin/env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM=dumb LC_ALL=C.UTF-8 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin \
			nsenter -t "$pid" -m -p -u -i -n -C "$@"
	)
}

# make_keys: root's key and each host's own key, made once and for all hosts, so that known_hosts of a
# host can name hosts that come later.
make_keys() {
	local host n name names
	[ ! -e "$lab/keys/known_hosts" ] || return 0
	rm -rf "$lab/keys"
	mkdir -p "$lab/keys"
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$lab/keys/id_ed25519"
	for host in $all_hosts; do
		n=$(number "$host")
		names="${host,}"
		for name in "$network.$n" "$network6:$n"; do names+=",$name,[$name]:2222"; done
		ssh-keygen -q -t ed25519 -N '' -C "$host" -f "$lab/keys/$host"
		echo "$names $(cat "$lab/keys/$host.pub")" >>"$lab/keys/known_hosts.new"
	done
	mv "$lab/keys/known_hosts.new" "$lab/keys/known_hosts"
}

# make_root HOST: mount the host's root, with this host's keys and names.
make_root() {
	local host=$1 state=$lab/hosts/$1 root=$lab/hosts/$1/root home other
	mkdir -p "$root" "$state"/{upper,work,disk}
	if [ -n "${VZMIGRATE_LAB_DISK-}" ]; then
		truncate -s "${VZMIGRATE_LAB_DISK}M" "$state/disk.image"
		mkfs.ext4 -q -m 0 -b 4096 "$state/disk.image"
		mount -o loop "$state/disk.image" "$state/disk"
	fi
	mkdir "$state"/disk/{vz,srv}
	cp -a "$image/host/var/lib" "$state/disk/lib"
	mount -t overlay -o "lowerdir=$image/host,upperdir=$state/upper,workdir=$state/work" "lab-$host" "$root"
	for home in root home/admin; do
		mkdir -p "$root/$home/.ssh"
		cp "$lab/keys/id_ed25519.pub" "$root/$home/.ssh/authorized_keys"
		cp "$lab/keys/"{id_ed25519,id_ed25519.pub,known_hosts} "$root/$home/.ssh/"
		chmod 700 "$root/$home/.ssh"
		chmod 600 "$root/$home/.ssh/"*
		chown -R --reference="$root/$home" "$root/$home/.ssh"
	done
	rm -f "$root"/etc/ssh/ssh_host_*
	install -m 600 "$lab/keys/$host" "$root/etc/ssh/ssh_host_ed25519_key"
	install -m 644 "$lab/keys/$host.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
	printf '%s\n' 'Port 22' 'Port 2222' 'HostKey /etc/ssh/ssh_host_ed25519_key' >"$root/etc/ssh/sshd_config.d/lab.conf"
	echo "$host" >"$root/etc/hostname"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"
	for other in $all_hosts; do
		echo "$network.$(number "$other") ${other,} $other" >>"$root/etc/hosts"
	done
}

# boot HOST: start it with the disk that it has.
boot() {
	local host=$1 state=$lab/hosts/$1 n pid tries
	n=$(number "$host")
	! is_up "$host" || die "host $host is up"
	mountpoint -q "$state/root" || die "there is no host $host"
	make_cgroups "$host"
	(
		# The root of the cgroup namespace is where its first process is: not yet in v2's leaf "init".
		leaf=""
		if [ "$(cgroup_roots)" = /sys/fs/cgroup ]; then
			leaf=$(cat "$state/cgroup")
			echo $BASHPID >"${leaf%/init}/cgroup.procs"
			leaf+=/cgroup.procs
		else
			join_cgroups "$host"
		fi
		close_descriptors
		cd /
		# shellcheck disable=SC2016	# expanded by the inner shell
		exec setsid unshare --cgroup bash -c '[ -z "$1" ] || echo $$ >"$1"
			shift
			exec unshare --mount --pid --uts --ipc --net --fork --propagation private "$@"' _ "$leaf" \
			"$here/lab.d/host-init" "$state" "$host" "$network.$n/24" "$network6:$n/64"
	) </dev/null >"$state/log" 2>&1 &
	disown
	for tries in {1..100}; do
		[ ! -e "$state/pid" ] || break
		sleep 0.05
	done
	pid=$(pid_of "$host") || die "host $host did not start: $(tail -n 3 "$state/log")"
	# A bridge takes the lowest address of its ports, and what others remember of it then leads nowhere:
	# eth0 has one that no random address is below, so that br0 keeps it whatever comes and goes.
	ip link add "$link$host" address "02:00:00:00:01:0$n" type veth peer name eth0 address "02:00:00:00:00:0$n" netns "$pid"
	ip link set "$link$host" master "$bridge" up
	for tries in {1..100}; do
		[ ! -e "/proc/$pid/root/run/host-ready" ] || return 0
		is_up "$host" || break
		sleep 0.05
	done
	die "host $host did not come up ($tries tries): $(tail -n 3 "$state/log")"
}

start_host() {
	stop_host "$1"	# what a killed lab left
	make_root "$1"
	boot "$1"
}

# crash HOST: as when its power is cut: silent at once, nothing is asked to end, the disk stays as it is.
crash() {
	local host=$1 pid
	number "$host" >/dev/null
	# First of all, so that no process says good-bye over the network.
	ip link del "$link$host" 2>/dev/null || true
	if pid=$(pid_of "$host"); then
		kill -KILL "$pid"
	fi
	# Everything has its SIGKILL before anything is thawed (a frozen process of v1 dies only then), so
	# that no program takes another step.
	# shellcheck disable=SC2038	# what is listed are pids
	find /sys/fs/cgroup/{freezer/,}"$cgroup$host" -name cgroup.procs -exec cat {} + 2>/dev/null |
		xargs -r kill -KILL 2>/dev/null || true
	find /sys/fs/cgroup/freezer/"$cgroup$host" -depth -name freezer.state -exec sh -c 'echo THAWED >"$1"' _ {} \; 2>/dev/null || true
	find /sys/fs/cgroup/"$cgroup$host" -depth -name cgroup.freeze -exec sh -c 'echo 0 >"$1"' _ {} \; 2>/dev/null || true
	while is_up "$host"; do sleep 0.02; done
	remove_cgroups "$host"
	rm -f "$lab/hosts/$host/pid"
	# The kernel does not end with a host, but what was set in it for a while would.
	[ ! -r "$lab/setting" ] || cat "$lab/setting" >$setting
}

# stop_host HOST: crash it, and take down what was made for it.
stop_host() {
	local state=$lab/hosts/$1
	crash "$1"
	while mountpoint -q "$state/root"; do umount -l "$state/root"; done
	# Its loop device goes with it.
	while mountpoint -q "$state/disk"; do umount "$state/disk" || umount -l "$state/disk"; done
	rm -rf --one-file-system "$state"
}

up() {
	local host
	[ $# -gt 0 ] || set -- A B
	for host; do number "$host" >/dev/null; done
	image
	image=$(image_path)
	(
		flock 7
		make_keys
		if ! ip link show "$bridge" >/dev/null 2>&1; then
			rm -f "$lab/setting"
			[ ! -e $setting ] || cat $setting >"$lab/setting"
			ip link add "$bridge" address 02:00:00:00:00:fe type bridge
			ip addr add "$network.254/24" dev "$bridge"
			ip addr add "$network6:fe/64" dev "$bridge" nodad
			ip link set "$bridge" up
		fi
		for host; do
			is_up "$host" || start_host "$host"
		done
	) 7>"$lab/up.lock"
}

down() {
	local host
	for host in $all_hosts; do stop_host "$host"; done
	ip link del "$bridge" 2>/dev/null || true
	rmdir "$lab/hosts" 2>/dev/null || true
}

# link_rate RATE: what comes to a host is what is shaped: what leaves it comes to another.
link_rate() {
	local host
	for host in $all_hosts; do
		is_up "$host" || continue
		tc qdisc del dev "$link$host" root 2>/dev/null || true
		# A burst of what comes in one tick of the kernel's clock (4 ms) at 1 Gbit/s, and half as much again.
		[ "$1" = unlimited ] ||
			tc qdisc add dev "$link$host" root tbf rate "$1" burst 768kb latency 20ms
	done
}

install_binary() {
	local host any="" library
	library=$(dirname "$1")/criu-pages.so
	for host in $all_hosts; do
		is_up "$host" || continue
		[ ! -e "$library" ] ||
			install -D -m 755 "$library" "$(root_of "$host")/usr/lib/vzmigrate/criu-pages.so"
		install -m 755 "$1" "$(root_of "$host")/usr/sbin/vzmigrate.new"
		mv "$(root_of "$host")/usr/sbin/vzmigrate.new" "$(root_of "$host")/usr/sbin/vzmigrate"
		any=yes
	done
	[ -n "$any" ] || die "no host is up"
}
