#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line: every wrong one is refused with one sentence that names what is wrong, status 1,
# before anything is contacted.

load helper

setup() {
	make_node
}

@test "nothing, an option alone, a destination alone: what is missing is named" {
	refused 1 'destination'
	refused 1 'destination' --online
	refused 1 'container' nohost.invalid
	refused 1 'container' --online nohost.invalid
}

@test "unknown options are named" {
	refused 1 'frobnicate' --frobnicate nohost.invalid 101
	refused 1 'frobnicate' nohost.invalid 101 --frobnicate=3
	refused 1 "[^a-z]Z" -Z nohost.invalid 101
	refused 1 "[^a-z]Z" -vZ nohost.invalid 101
	refused 1 "'-#'" '-#' nohost.invalid 101
	refused 1 "'--'|'--='|unknown" --=x nohost.invalid 101
}

@test "options without their argument, or with one that they do not take, are named" {
	refused 1 'ssh' nohost.invalid 101 --ssh
	refused 1 'rsync' nohost.invalid 101 --rsync
	refused 1 'timeout' nohost.invalid 101 --timeout
	refused 1 'runtime' nohost.invalid 101 --runtime
	refused 1 "remove-area|[^a-z]r[^a-z]" nohost.invalid 101 -r
	refused 1 'online' --online=yes nohost.invalid 101
	refused 1 'help' --help=me
}

@test "arguments of options are checked" {
	refused 1 'maybe' -r maybe nohost.invalid 101
	refused 1 'remove-area|-r' --remove-area= nohost.invalid 101
	for seconds in 0 x -5 1.5 '' 10s 99999999999999999999; do
		refused 1 'timeout' --timeout="$seconds" nohost.invalid 101
	done
	refused 1 'nosuch' --runtime=nosuch nohost.invalid 101
}

@test "--ssh takes options of ssh, quoted as for a shell, and no host" {
	refused 1 '-o|argument' --ssh=-o nohost.invalid 101
	refused 1 'quote' --ssh="'open" nohost.invalid 101
	refused 1 'quote' --ssh='-o "x' nohost.invalid 101
	refused 1 'otherhost' --ssh=otherhost nohost.invalid 101
	refused 1 'otherhost' --ssh='-p 22 otherhost' nohost.invalid 101
	refused 1 '-W|W' --ssh='-W x:1' nohost.invalid 101
	refused 1 'quote' --rsync="'open" nohost.invalid 101
}

@test "impossible container ids" {
	long=$(printf 'x%.0s' {1..300})
	refused 1 '\.\./x' nohost.invalid ../x
	refused 1 'empty' nohost.invalid ''
	refused 1 'longer than' nohost.invalid "$long"
	refused 1 "-x" nohost.invalid -- -x
	refused 1 'a/b' nohost.invalid a/b
	refused 1 "'\.'" nohost.invalid .
	refused 1 "\.\." nohost.invalid ..
	refused 1 '/etc/' nohost.invalid /etc/
	refused 1 '/etc/\.\./x' nohost.invalid /etc/../x
	refused 10 '/etc' nohost.invalid /etc
	refused 1 'a b' nohost.invalid 'a b'
	refused 1 "container id|'101" nohost.invalid $'101\n102'
	refused 1 'container id|characters' nohost.invalid $'\e[2J'
	refused 1 'container id|characters' nohost.invalid $'\xff\xfe'
}

@test "one impossible id among several refuses all of them, before anything is tried" {
	refused 1 'a/b' nohost.invalid 101 a/b
}

@test "impossible destinations" {
	refused 1 'destination|empty|host' '' 101
	refused 1 'port|host:0' host:0 101
	refused 1 'port|99999' host:99999 101
	refused 1 'port|host:x' host:x 101
	refused 1 '\[::1' '[::1' 101
	refused 1 'ProxyCommand' -- -oProxyCommand=x 101
	refused 1 'a b' 'a b' 101
	refused 1 '@' @host 101
	refused 1 'user' user@ 101
	refused 1 'x' 'root@-x' 101
	refused 1 'host|destination' $'host\n' 101
	refused 1 'destination host .* longer than' "$(printf 'h%.0s' {1..2000})" 101
	refused 1 'user .* longer than' "$(printf 'u%.0s' {1..2000})@host" 101
	refused 1 "'host/x'" host/x 101
	refused 1 'host;id' 'host;id' 101
}

@test "one wrong option among right ones refuses the command, wherever it stands" {
	refused 1 'maybe' --online -r yes nohost.invalid 101 -r maybe
	refused 1 'timeout' --timeout=5 --timeout=0 nohost.invalid 101
	refused 1 'otherhost' --ssh='-p 22' --ssh=otherhost nohost.invalid 101
	refused 1 'takes options only' --rsync='-z /etc' nohost.invalid 101
}

@test "a destination that looks like an option is never one" {
	refused 1 'frobnicate' -- --frobnicate 101
	refused 1 'version' -- --version 101
}

@test "--help and --version go to standard output, for anybody and whatever else is said" {
	for option in --help --version --hel --vers; do
		vzmigrate $option
		[ "$status" -eq 0 ] && [ ! -s "$node/err" ] && [ -s "$node/out" ] || report "$option"
	done
	vzmigrate --version
	[ "$(cat "$node/out")" = "vzmigrate 0.1.0" ] || report "--version"
	vzmigrate --help
	for option in online live remove-area keep-dst ssh rsync verbose times timeout runtime help version; do
		grep -q -- "--$option" "$node/out" || report "--help does not name --$option"
	done
	[ "$(awk 'length > 100' "$node/out")" = "" ] || report "--help has long lines"
}

@test "long options may be abbreviated, unless two are meant" {
	refused 10 "'nosuch'" --runt lxc nohost.invalid nosuch
	refused 2 '101' --onl nohost.invalid 101
	refused 2 '101' --liv nohost.invalid 101
	refused 1 'ambiguous|--ver' --ver nohost.invalid 101
	refused 1 'ambiguous|--r' --r=yes nohost.invalid 101
	refused 1 'ambiguous|--ti' --ti nohost.invalid 101
}

@test "options may follow the words, and -- ends them" {
	refused 2 '101' nohost.invalid --online 101
	refused 2 '101' nohost.invalid 101 --online
	vzmigrate -v -- nohost.invalid nosuch
	[ "$status" -eq 10 ] || report "-v --"
	refused 1 '--online' nohost.invalid -- --online
}

@test "the words of -r are yes and no, attached or not" {
	for words in "-r yes" "-ryes" "-r no" "--remove-area yes" "--remove-area=no" "--remove=no"; do
		# shellcheck disable=SC2086
		refused 10 "'nosuch'" $words nohost.invalid nosuch
	done
}

@test "only root may" {
	place=$(mktemp -d /tmp/vzmigrate-cli-XXXXXX)
	cp "$VZMIGRATE" "$place/vzmigrate"
	chmod 755 "$place"
	export ASAN_OPTIONS=detect_leaks=0
	run -1 setpriv --reuid 65534 --regid 65534 --clear-groups "$place/vzmigrate" nohost.invalid 101
	[[ $output =~ ^vzmigrate:\ .*root ]]
	[ ${#lines[@]} -eq 1 ]
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups "$place/vzmigrate" --help
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups "$place/vzmigrate" --version
	rm -rf "$place"
}
