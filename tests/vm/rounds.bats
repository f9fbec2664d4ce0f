#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Rounds of memory on a kernel that has soft-dirty bits and nothing better. What changed in a round is told by comparing
# with what was sent; in the frozen container the bits tell what there is to compare (include/system/memory_track.h), and
# a huge page has one for all of it: every test says with which pages it runs.
# bats file_tags=vm, vm:short

load ../lab/helper

huge_pages=/sys/kernel/mm/transparent_hugepage/enabled

setup() {
	fresh
	huge_pages_before=$(sed 's/.*\[\(.*\)\].*/\1/' $huge_pages)
}

teardown() {
	stop_clients
	echo "$huge_pages_before" >$huge_pages
}

# move_with_rounds MB DIRTY: container 101 moves live. In pages, as if none were compressed: sent has what each round sent,
# total is the sum, last what counted as changed in the frozen container, memory all that was sent of memory, criu's images
# included.
move_with_rounds() {
	container A 101 mem MB="$1" DIRTY="$2"
	run --separate-stderr on A timeout -k 5 $((120 * slowness)) vzmigrate -b -v --online 10.77.0.2 101 </dev/null
	assert_status 0
	assert_runs_only_on B 101
	assert_memory 101
	mapfile -t sent < <(fields_of round 'uncompressed // 4096')
	memory=$(fields_of result 'memory_uncompressed // 4096')
	last=$(fields_of message 'text' | sed -n 's/^\([0-9]*\) bytes of memory had changed when it stood still$/\1/p')
	[ ${#sent[@]} -gt 0 ] || fail "no round in:" "$output"
	[ -n "$last" ] || fail "nothing is said of the last difference in:" "$output"
	last=$((last / 4096))
	total=0
	for pages in "${sent[@]}"; do total=$((total + pages)); done
	echo "# pages sent by each round: ${sent[*]}; changed at last: $last; in all: $memory" >&3
}

# fields_of KIND FIELDS: these fields (Python, of the object's names) of the last migration's events of a kind.
fields_of() {
	python3 -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event["event"] == sys.argv[1]:
        values = eval("(" + sys.argv[2] + ",)", {}, event)
        print(*values)' "$@" <<<"$output"
}

@test "huge pages off: three rounds shrink, and the last difference is what was just written" {
	echo never >$huge_pages
	move_with_rounds 96 1
	[ ${#sent[@]} -ge 3 ]
	[ "${sent[0]}" -ge $((96 * 256)) ]
	[ "${sent[1]}" -lt $((sent[0] / 4)) ]
	[ "${sent[2]}" -lt "${sent[1]}" ]
	[ "$last" -lt $((sent[0] / 10)) ]
}

@test "huge pages on: at last far more counts as changed than has changed, and only that is sent" {
	echo always >$huge_pages
	move_with_rounds 96 1
	[ "${sent[0]}" -ge $((96 * 256)) ]
	[ "${sent[1]}" -lt $((sent[0] / 4)) ]
	# Rounds that gain nothing are not made for ever.
	[ ${#sent[@]} -lt 20 ]
	# 1 MiB a second, scattered: each write makes 512 pages count as changed.
	[ "$last" -gt $((4 * (memory - total))) ]
}
