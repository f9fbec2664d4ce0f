# SPDX-License-Identifier: GPL-2.0-or-later
# image.sh: alone responsible for the cached root trees of the lab (sourced by scripts/lab).
# shellcheck shell=bash disable=SC2154 # what scripts/lab sets
#
#	$image/host                    root of a host: Debian trixie, lxc, runc, crun, sshd, criu 4.2 (forky)
#	$image/mem, $image/mem-shifted the smallest container that runs Python and busybox (some 40 MB)
#	$image/pg,  $image/pg-shifted  a container with PostgreSQL, nginx and redis
#
# "shifted" trees belong to uid 100000 and up, as containers with user namespaces want them. A set of
# trees is built under a temporary name and renamed when complete; its name carries a checksum of this
# recipe (comments aside), so that a changed recipe is a new image and an interrupted build is never mistaken for one.

suite=trixie
# criu 4.2 is only in forky (trixie's cannot dump sockets on kernels >= 6.16); libc stays trixie's.
criu_suite=forky
criu_packages="criu/forky libcompel1/forky libnl-3-200/forky libcriu2/forky"
host_packages="rsync openssh-server openssh-client iproute2 lxc runc crun iptables nftables procps
	python3 libssh-4 libcap2 libcap2-bin libjson-c5 libprotobuf-c1 libzstd1 ca-certificates strace
	netcat-openbsd busybox-static acl attr sudo iputils-ping iputils-arping tcpdump
	libpq5 postgresql-client"
pg_packages="postgresql nginx-light redis-server iproute2 procps"
# What a mem container is made of, taken out of the host's tree file by file.
mem_packages="libc6 libc-bin libpython3.13-minimal libpython3.13-stdlib python3.13-minimal
	python3-minimal libexpat1 zlib1g libbz2-1.0 liblzma5 libffi8 libacl1 libattr1 busybox-static"

# mirror: the archive that this machine's apt uses.
mirror() {
	local found
	found=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		grep -oE '(URIs:|^deb ).*' | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -n 1) || true
	found=${found%% *}
	echo "${found:-http://deb.debian.org/debian}"
}

# image_path: where the image of this recipe lies, built or not.
image_path() {
	local stamp
	stamp=$(cat "$here/lab.d/image.sh" "$fixtures/shift.py" | grep -v '^[[:space:]]*#' | sha256sum)
	echo "$lab/image-${stamp:0:12}"
}

# in_tree TREE COMMAND...: run a command in a tree that is being built.
in_tree() {
	local tree=$1
	shift
	chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
		"$@" </dev/null >>"$log" 2>&1
}

# slim TREE: keep documentation and translations out of a tree, and drop what is there already.
slim() {
	local tree=$1
	rm -rf "$tree"/usr/share/{doc,man,info,locale,lintian,bash-completion}/* "$tree"/var/lib/apt/lists/*_* \
		"$tree"/var/cache/apt/*.bin "$tree"/var/cache/apt/archives/*.deb "$tree"/var/cache/debconf/*-old \
		"$tree"/var/log/*.log "$tree"/var/log/apt
	cat >"$tree/etc/dpkg/dpkg.cfg.d/slim" <<-'END'
		path-exclude=/usr/share/doc/*
		path-exclude=/usr/share/man/*
		path-exclude=/usr/share/info/*
		path-exclude=/usr/share/locale/*
		path-exclude=/usr/share/lintian/*
	END
}

# image: build the trees unless they are there.
image() {
	local final
	final=$(image_path)
	[ ! -d "$final" ] || return 0
	mkdir -p "$lab"
	log=$lab/build.log
	(
		flock 8
		[ ! -d "$final" ] || exit 0
		echo "lab: building the image of the hosts and containers, once (some minutes; $lab/build.log)" >&2
		rm -rf "$lab"/image.building
		mkdir "$lab/image.building"
		: >"$log"
		# A subshell that is not the condition of an if: there set -e holds.
		(
			set -e
			build_host "$lab/image.building"
			build_mem "$lab/image.building"
			build_pg "$lab/image.building"
		) &
		if ! wait $!; then
			tail -n 20 "$log" >&2
			echo "lab: building the image failed; the end of $log is above" >&2
			exit 1
		fi
		mv "$lab/image.building" "$final"
		# Images of earlier recipes: no running host may still have one below its root.
		for old in "$lab"/image-*; do
			[ "$old" = "$final" ] || grep -q "lowerdir=$old" /proc/self/mounts || rm -rf "$old"
		done
	) 8>"$lab/lock" </dev/null
}

build_host() {
	local tree=$1/host uri
	uri=$(mirror)
	debootstrap --variant=minbase "$suite" "$1/min" "$uri" </dev/null >>"$log" 2>&1
	echo "deb $uri $suite main" >"$1/min/etc/apt/sources.list"
	slim "$1/min"
	cp -a "$1/min" "$tree"
	# forky's Release file may be past its date; its low priority keeps everything else on trixie.
	echo "deb [check-valid-until=no] $uri $criu_suite main" >"$tree/etc/apt/sources.list.d/$criu_suite.list"
	printf 'Package: *\nPin: release n=%s\nPin-Priority: 60\n' $criu_suite >"$tree/etc/apt/preferences.d/$criu_suite"
	in_tree "$tree" apt-get update
	# shellcheck disable=SC2086
	in_tree "$tree" apt-get install -y --no-install-recommends $host_packages
	# shellcheck disable=SC2086
	in_tree "$tree" apt-get install -y --no-install-recommends $criu_packages
	in_tree "$tree" criu --version
	in_tree "$tree" useradd -m -s /bin/bash admin
	echo 'admin ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/admin"
	chmod 440 "$tree/etc/sudoers.d/admin"
	echo 'root:100000:65536' | tee "$tree/etc/subuid" >"$tree/etc/subgid"
	mkdir -p "$tree/vz"
	slim "$tree"
}

build_mem() {
	local tree=$1/mem package name
	mkdir -p "$tree"/{usr/{bin,sbin,lib,lib64},etc,dev,proc,sys,run,tmp,root,srv,home,var/{lib,log,tmp}}
	for name in bin sbin lib lib64; do ln -s usr/$name "$tree/$name"; done
	chmod 1777 "$tree/tmp" "$tree/var/tmp"
	for package in $mem_packages; do chroot "$1/host" dpkg -L "$package"; done |
		sed 's,^/\(bin\|sbin\|lib\|lib64\)/,/usr/\1/,' | sort -u | while IFS= read -r name; do
		if [ -L "$1/host$name" ] || [ -f "$1/host$name" ]; then echo ".$name"; fi
	done | tar -C "$1/host" -c --no-recursion -T - 2>>"$log" | tar -C "$tree" -x --keep-directory-symlink 2>>"$log"
	for name in $(chroot "$tree" /usr/bin/busybox --list); do
		[ -e "$tree/usr/bin/$name" ] || [ -L "$tree/usr/bin/$name" ] || ln -s busybox "$tree/usr/bin/$name"
	done
	ln -sf ../bin/busybox "$tree/usr/sbin/ip"
	rm -rf "$tree"/usr/share/{doc,man,locale,lintian} "$tree"/usr/lib/*/gconv
	cp "$1/host/etc/"{passwd,group,nsswitch.conf,ld.so.conf} "$tree/etc/"
	cp -a "$1/host/etc/ld.so.conf.d" "$tree/etc/"
	cp "$1/host/etc/ld.so.cache" "$tree/etc/"
	chroot "$tree" /bin/sh -c 'python3 -c "import socket, threading, mmap, random, hashlib, json"' >>"$log" 2>&1
	cp -a "$tree" "$tree-shifted"
	python3 "$fixtures/shift.py" "$tree-shifted" 100000
}

build_pg() {
	local tree=$1/pg
	mv "$1/min" "$tree"
	in_tree "$tree" apt-get update
	# shellcheck disable=SC2086
	in_tree "$tree" apt-get install -y --no-install-recommends $pg_packages
	slim "$tree"
	# The just-in-time compiler is three quarters of PostgreSQL's size and nothing that we test.
	rm -rf "$tree"/usr/lib/*/libLLVM* "$tree"/usr/lib/postgresql/*/lib/{llvmjit*,bitcode}
	# pgbench comes with the server only; its client libraries are in the host's image.
	cp "$tree"/usr/lib/postgresql/*/bin/pgbench "$1/host/usr/local/bin/"
	cat >>"$(echo "$tree"/etc/postgresql/*/main/postgresql.conf)" <<-'END'
		listen_addresses = '*'
		jit = off
		logging_collector = off
	END
	printf 'host all all %s trust\n' 0.0.0.0/0 ::/0 >>"$(echo "$tree"/etc/postgresql/*/main/pg_hba.conf)"
	cp -a "$tree" "$tree-shifted"
	python3 "$fixtures/shift.py" "$tree-shifted" 100000
}
