#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every option and every conflict of options, as tables. The container 101 is stopped and 'nosuch' does not exist,
# so that what is accepted ends with 10 before anything is contacted.

load helper

setup() {
	make_node
}

# Every option of --help, as it may be written; what follows the | is what must be there with it.
accepted="
--online
--live
--noiter | --online
--lazy | --online
--lazy --noiter | --live
--require-realtime | --online
--throttle | --online
--require-realtime --lazy | --online
--max-downtime=300ms | --online
--max-downtime 1.5s | --online
-r yes
-r no
-rno
--remove-area=yes
--remove-area no
-s
--nostart
-s -r no
--readonly
--readonly -s --keep-dst
--keep-dst
--dry-run
--check-only
--dry-run --online --lazy
--dry-run --readonly
-f
--nodeps
-fall
-fcpu_check,disk_space
--nodeps=all
--nodeps=technologies
--nodeps=cpu_check,disk_space,technologies,license,rate
-f --online
--ssh=-4
--ssh '-p 22 -o BatchMode=yes'
--rsync=-z
--rsync '-z --bwlimit=5m'
--bwlimit=0
--bwlimit=800
--bwlimit=800K
--bwlimit 1.5g
--parallel=1
--parallel 10
--timeout=1
--timeout 3600
--runtime=lxc
--runtime lxc
-t
--times
-v
-vv
--verbose
-b
--batch
-tvb
"

@test "every option is accepted in every form, and there is none that is not tried" {
	tried=$(grep -oE -- '--[a-z][a-z-]+' <<<"${accepted//=*/}" | sort -u)
	while IFS='|' read -r words needs; do
		[ -n "$words" ] || continue
		eval "set -- $words $needs"
		case " $* " in
		*" -b "* | *" --batch "* | *" -tvb "*)
			vzmigrate "$@" nohost.invalid nosuch
			[ "$status" -eq 10 ] && [ ! -s "$node/err" ] || report "$*"
			;;
		*" -v"* | *" --verbose "*)
			vzmigrate "$@" nohost.invalid nosuch
			[ "$status" -eq 10 ] || report "$*"
			;;
		*) refused 10 "'nosuch'" "$@" nohost.invalid nosuch ;;
		esac
	done <<<"$accepted"
	# The modes have tests of their own.
	missing=$("$VZMIGRATE" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u | grep -vxE -- '--(help|version|recover|abort)' |
		grep -vxFf <(grep -oE -- '--[a-z][a-z-]+' <<<"$accepted" | sort -u)) || true
	[ -z "$missing" ] || fail "not tried: $missing"
}

# What excludes what, and what the sentence says.
conflicts="
--noiter|--noiter goes only with --online
--lazy|--lazy goes only with --online
--lazy --noiter|goes only with --online
--require-realtime|--require-realtime goes only with --online
--throttle|--throttle goes only with --online
--online --noiter --throttle|--noiter and --throttle exclude each other
--max-downtime=1s|--max-downtime goes only with --online
--online --noiter --require-realtime|--noiter and --require-realtime exclude each other
--live --require-realtime --noiter|--noiter and --require-realtime exclude each other
--online --noiter --max-downtime=1s|--noiter and --max-downtime exclude each other
-s --online|--nostart and --online exclude each other
--live --nostart|--nostart and --online exclude each other
--readonly --online|--readonly and --online exclude each other
--readonly -r yes|--readonly and --remove-area exclude each other
--readonly --remove-area=no|--readonly and --remove-area exclude each other
--abort|--abort goes only with --recover
"

@test "every conflict is named, before anything is contacted" {
	while IFS='|' read -r words pattern; do
		[ -n "$words" ] || continue
		# shellcheck disable=SC2086
		refused 1 "$pattern" $words nohost.invalid 101
		# shellcheck disable=SC2086
		refused 1 "$pattern" nohost.invalid 101 $words
	done <<<"$conflicts"
}

@test "--recover goes with none of a migration's options" {
	while read -r words; do
		[ -n "$words" ] || continue
		# shellcheck disable=SC2086
		refused 1 '--recover' --recover $words
	done <<<"--online
		--noiter --online
		--lazy
		--require-realtime
		--max-downtime=1s
		-r yes
		-s
		--readonly
		--keep-dst
		--dry-run
		-f
		--rsync=-z
		--bwlimit=1M
		--parallel=2
		--runtime=lxc
		-t"
	refused 1 "'host:22'" --recover host:22
	refused 1 "'101:201'" --recover 101:201
	refused 1 "'101' is named twice" --recover 101 101
	refused 1 "'\.\./x'" --recover ../x
}

# Arguments that are none, and the option that the sentence names.
arguments="
--bwlimit=|--bwlimit
--bwlimit=fast|'fast'
--bwlimit=-5M|'-5M'
--bwlimit=1e6|'1e6'
--bwlimit=10X|'10X'
--bwlimit=0.5|'0.5'
--max-downtime=2 --online|'2'
--max-downtime=0s --online|'0s'
--max-downtime=1h --online|'1h'
--max-downtime= --online|--max-downtime
--parallel=0|'0'
--parallel=11|'11'
--parallel=two|'two'
--parallel=|--parallel
--timeout=0|'0'
--timeout=3601|'3601'
--runtime=jail|'jail'
--runtime=|--runtime|there is no runtime
--nodeps=nosuch|'nosuch'
--nodeps=all,nosuch|'nosuch'
--nodeps=|''
--nodeps=,|''
-fnosuch|'nosuch'
--nodeps=exists|'exists' is never skipped
--nodeps=cpu_check,locked|'locked' is never skipped
-r maybe|'maybe'
--rsync=/etc|'/etc' is none
"

@test "every argument is checked, and the sentence names it" {
	while IFS='|' read -r words pattern; do
		[ -n "$words" ] || continue
		# shellcheck disable=SC2086
		refused 1 "$pattern" $words nohost.invalid 101
	done <<<"$arguments"
	for option in --ssh --rsync --bwlimit --parallel --timeout --runtime --max-downtime --remove-area -r; do
		refused 1 "'$option' wants an argument" nohost.invalid 101 $option
	done
	for option in --online --noiter --lazy --require-realtime --nostart --readonly --keep-dst --dry-run --recover \
		--abort --batch --times --verbose --help --version; do
		refused 1 "'$option' takes no argument" $option=x nohost.invalid 101
	done
}

# Words for a container, and what is wrong with them.
containers="
101:|nothing follows the last ':' in '101:'
101::|nothing follows the last ':'
101:201:|nothing follows the last ':'
:201|the id of a container cannot be empty
101:a/b|'a/b'
101:-x|'-x'
101:..|'..'
101:201:private|the private area 'private' in '101:201:private'
101:201:/vz/../x|'/vz/../x'
101::/|private area '/'
101::/vz//x|private area '/vz//x'
101:201:/vz/201:root|the root 'root'
1:2:/3:/4:5|four parts
1:2:/3:/4:|four parts
101 101|container '101' is named twice
101 102 101:201|container '101' is named twice
101:201 102:201|would both be '201' on the destination
101:102 102|would both be '102' on the destination
101::/vz/a 102::/vz/a|would share the private area '/vz/a'
101:::/vz/a 102:::/vz/a|would share the root '/vz/a'
"

@test "the list of containers: what is wrong with one, or with two together" {
	while IFS='|' read -r words pattern; do
		[ -n "$words" ] || continue
		# shellcheck disable=SC2086
		refused 1 "$pattern" nohost.invalid $words
	done <<<"$containers"
	for word in nosuch:201 nosuch:201:/vz/private/201 nosuch::/vz/private/201 nosuch:::/vz/root/201 \
		nosuch:201:/vz/private/201:/vz/root/201; do
		refused 10 "'nosuch'" nohost.invalid $word
	done
	# A swap of names is no conflict.
	vzmigrate nohost.invalid nosuch:other other:nosuch
	[ "$status" -eq 10 ] && [ "$(grep -c '' "$node/err")" -eq 2 ] || report "a swap of names"
}
