#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make install` puts where, that `make uninstall` takes it away, and bash's completion.

load helper

@test "install below DESTDIR and PREFIX, and uninstall" {
	place=$BATS_TEST_TMPDIR/root
	env -u MAKEFLAGS make -s BUILD="$BUILD" install DESTDIR="$place" PREFIX=/usr
	[ -x "$place/usr/sbin/vzmigrate" ]
	"$place/usr/sbin/vzmigrate" --version
	[ -r "$place/usr/lib/vzmigrate/criu-pages.so" ]
	[ -r "$place/usr/share/man/man8/vzmigrate.8" ]
	[ -r "$place/usr/share/bash-completion/completions/vzmigrate" ]
	[ "$(find "$place" -type f | wc -l)" -eq 4 ]
	env -u MAKEFLAGS make -s BUILD="$BUILD" uninstall DESTDIR="$place" PREFIX=/usr
	[ "$(find "$place" -type f | wc -l)" -eq 0 ]
}

# completed WORD...: what TAB offers for the last word.
completed() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_vzmigrate
	echo "${COMPREPLY[*]}"
}

@test "completion offers the hosts that ssh knows, with the user that was begun" {
	HOME=$BATS_TEST_TMPDIR
	mkdir -p "$HOME/.ssh"
	printf '%s\n' 'host2 ssh-ed25519 AAAA' 'host3,10.0.0.3 ssh-ed25519 AAAA' '|1|hash|ed= ssh-ed25519 AAAA' \
		'@revoked gone ssh-ed25519 AAAA' >"$HOME/.ssh/known_hosts"
	# shellcheck source=../../scripts/completion.bash
	source scripts/completion.bash
	[ "$(completed vzmigrate ho)" = "host2 host3" ]
	[ "$(completed vzmigrate --online -s host3)" = "host3" ]
	[ "$(completed vzmigrate root@ho)" = "root@host2 root@host3" ]
	[ "$(completed vzmigrate "")" = "host2 host3" ]
}

@test "completion offers options, yes and no, and containers" {
	make_node
	PATH=$tools:$PATH
	mkdir "$home/web"
	touch "$home/web/config"
	mkdir "$home/nothing"
	# shellcheck source=../../scripts/completion.bash
	source scripts/completion.bash
	[ "$(completed vzmigrate --onl)" = "--online" ]
	[ "$(completed vzmigrate -r "")" = "yes no" ]
	[ "$(completed vzmigrate --remove-area = n)" = "no" ]
	[ "$(completed vzmigrate host "")" = "101 web" ]
	[ "$(completed vzmigrate --online -r yes host w)" = "web" ]
	[ "$(completed vzmigrate --ssh = "-p 1" host w)" = "web" ]
	[ "$(completed vzmigrate --ssh "")" = "" ]
	[ "$(completed vzmigrate --bwlimit = "")" = "" ]
	[ "$(completed vzmigrate --runtime = l)" = "lxc" ]
	[ "$(completed vzmigrate --nodeps = cpu)" = "cpu_check" ]
	[ "$(completed vzmigrate --nodeps = cpu_check,disk)" = "cpu_check,disk_space" ]
	[ "$(completed vzmigrate --nodeps = all host w)" = "web" ]
	[ "$(completed vzmigrate -f host w)" = "web" ]
	[ "$(completed vzmigrate --max-downtime 2s host w)" = "web" ]
	[ "$(completed vzmigrate --recover w)" = "web" ]
	[ "$(completed vzmigrate --dry)" = "--dry-run" ]
	# Every check that may be skipped is offered, and the program takes each that is.
	offered=$(completed vzmigrate --nodeps = "")
	for name in $(sed -n 's/^\t{ "\([a-z_]*\)", .*check_[a-z_]* },$/\1/p' src/node/check.c); do
		[[ " exists locked " == *" $name "* || " $offered " == *" $name "* ]] || fail "$name is not offered"
	done
	"$VZMIGRATE" --nodeps="${offered// /,}" --version
	for option in $("$VZMIGRATE" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
		[[ " $(completed vzmigrate "$option") " == *" $option "* ]] || fail "$option is not offered"
	done
}
