#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# All memory arrives, whatever the program does with it meanwhile, by every type of migration; and vzmigrate
# itself needs little.
#
# MEMORY_ROUNDS (4, so that each type has its turn): so often there and back.

load helper

setup() { fresh; }

teardown() {
	stop_clients
	lab link unlimited
	kernel_lacks A
	kernel_lacks B
}

# What a memory container's program counts and what must go on wherever it runs: all of it was verified, its
# mappings changed, its children ended well, its processes saw each other's writes.
counts="verifications rewritten changes children turns"

# count_of NAME LINE: a number in a line that the program has said.
count_of() { sed -n "s/.* $1=\([0-9]*\).*/\1/p" <<<" $2"; }

# went_on LINE: the program of container 101 has done more of everything since it said the line.
went_on() {
	local name now
	now=$(line_of 101 7003)
	for name in $counts; do
		[ "$(count_of "$name" "$now")" -gt "$(count_of "$name" "$1")" ] || return 1
	done
}

# poke WHAT: a page of the large area of a process of container 101 is changed behind its back. The page's first
# word says whose it is (fixtures/memory/page.h).
poke() {
	# shellcheck disable=SC2046	# pids
	python3 - "$1" $(processes_of A 101 | sort -n) <<-'END'
		import os, re, sys
		what, page = sys.argv[1], 4096
		def middle_of_large_area(pid):
		    memory = os.open('/proc/%s/mem' % pid, os.O_RDWR)
		    for line in open('/proc/%s/maps' % pid):
		        start, end = (int(n, 16) for n in re.match(r'(\w+)-(\w+) ', line).groups())
		        middle = (start + end) // 2 // page * page
		        try:
		            place = int.from_bytes(os.pread(memory, 8, middle), 'little')
		        except (OSError, OverflowError):
		            continue
		        if place >> 32 == 0x100 and place & 0xffffffff:
		            return memory, middle
		memory, middle = next(found for found in map(middle_of_large_area, sys.argv[2:]) if found)
		old = os.pread(memory, page, middle)
		if what == 'zero':
		    os.pwrite(memory, bytes(page), middle)
		elif what == 'bit':
		    os.pwrite(memory, bytes([old[100] ^ 4]), middle + 100)
		elif what == 'other':
		    os.pwrite(memory, os.pread(memory, page, middle + page), middle)
		elif what == 'old':
		    while os.pread(memory, page, middle) == old:
		        pass
		    os.pwrite(memory, old, middle)
	END
}

# is_found WHAT SENTENCE CHANGES: what was poked is found, named, and written down.
is_found() {
	local line
	container A 101 memory MB=4 DIRTY=8 CHANGES="$3"
	poke "$1"
	line=$(line_of 101 7001)
	[[ $line == "WRONG "*"large area"*"$2"* ]] || fail "poked $1: $line"
	assert_equal "WRONG $(cat "$(root_of A)/var/lib/lxc/101/rootfs/tmp/memory.wrong")" "$line"
	run assert_memory 101
	assert_status 1
	lab ct-remove A 101
}

@test "the program that checks its memory finds a page that is zero, changed, another's or old" {
	is_found zero "zero, must be generation" no
	is_found bit "broken (it begins as generation" no
	is_found other "must be page" no
	is_found old "must be generation" no
	is_found bit "broken (it begins as generation" yes
}

# spared: most of 72 MiB in large areas, of which the program has unmapped some, was none of criu's business where
# its kernel would have been asked about it (since 6.7).
spared() {
	local bytes
	bytes=$(sed -n 's/.*"of \([0-9]*\) bytes of memory criu did not ask page by page".*/\1/p' <<<"$output")
	if printf '%s\n' 6.7 "$(uname -r)" | sort -VC; then
		[ "$bytes" -ge $((36 << 20)) ] || fail "criu was spared $bytes bytes"
	else
		[ "$bytes" -eq 0 ] || fail "criu was spared $bytes bytes"
	fi
}

# Each process does with its memory whatever it may, another changes files thousands of times a second.
@test "there and back, of every type: memory is verified all the time, the whole tree is compared" {
	local types=("" "--noiter" "--lazy" "--lazy --noiter") from=A to=B options
	container A 101 memory MB=72 SHARED=24 DIRTY=12 CHURN=yes FILES=500
	client_start one 10.77.0.101
	for ((i = 0; i < 2 * ${MEMORY_ROUNDS:-4}; i++)); do
		read -ra options <<<"${types[i / 2 % 4]}"
		MIGRATE_HOST=$from migrate -b -v -v --online -r no "${options[@]}" "$(address $to)" 101
		assert_status 0
		spared
		case "${options[*]}" in
		*--noiter*) events 'not of("round")' ;;
		*) events 'of("round")' ;;
		esac
		assert_memory 101
		assert_moved_tree 101 $from $to
		wait_until 20 went_on "$memory_line"
		read -r from to <<<"$to $from"
	done
	assert_runs_only_on $from 101
	client_stop one
	echo "$i migrations: $memory_line" >&3
}

# moves_on FROM TO OPTION...: container 101 goes there, its memory apart from criu's images, and is right.
moves_on() {
	local from=$1 to=$2
	shift 2
	MIGRATE_HOST=$from migrate -b --online "$@" "$(address "$to")" 101
	assert_status 0
	refute_output_has "while it stands still"
	case "$*" in
	*--noiter*) events 'not of("round")' ;;
	*) events 'of("round")' ;;
	esac
	assert_runs_only_on "$to" 101 || fail "$output"
	assert_memory 101
	wait_until 20 went_on "$memory_line"
}

# So much memory that images with it would be seen: what is dumped and restored of it takes no time.
@test "runc's and crun's containers there and back, of every type" {
	local options
	for RUNTIME in runc crun; do
		fresh
		container A 101 memory PRIV=yes MB=96 DIRTY=12
		client_start one 10.77.0.101
		for options in "" "--noiter" "--lazy" "--lazy --noiter"; do
			# shellcheck disable=SC2086
			moves_on A B $options
			# shellcheck disable=SC2086
			moves_on B A $options
		done
		client_stop one
		echo "$RUNTIME: $memory_line" >&3
	done
}

# criu writes such memory into its images during the stop: there goes over only what has changed since the last round.
@test "shared memory, anonymous, memfd and System V, and locked memory are there before the stop" {
	local mib=$((1 << 20))
	container A 101 memory MB=64 SHARED=255 LOCKED=6 DIRTY=8 CHANGES=no
	migrate -b --online 10.77.0.2 101
	assert_status 0
	events "all(261 * $mib <= e['dumped'] <= 264 * $mib for e in of('round'))"
	events "of('round')[0]['sent'] >= (64 + 255 + 6) * $mib"
	events "of('result')[0]['bytes']['memory'] - sum(e['sent'] for e in of('round')) < 255 * $mib / 8"
	assert_runs_only_on B 101
	assert_memory 101
	sleep 1
	assert_memory 101
}

# kernel_lacks HOST CALL...: vzmigrate on this host, and all that it starts, finds another kernel; none: its own again.
kernel_lacks() {
	local host=$1 program
	program=$(root_of "$host")/usr/sbin/vzmigrate
	shift
	[ ! -e "$program.real" ] || mv "$program.real" "$program"
	# criu remembers what the kernel has: neither may believe what the other has found.
	rm -f "$(root_of "$host")/run/criu.kdat"
	[ $# -gt 0 ] || return 0
	install -m 755 "$fixtures/lacking.py" "$(root_of "$host")/vz/lacking.py"
	mv "$program" "$program.real"
	printf '#!/bin/sh\nexec /vz/lacking.py %s -- /usr/sbin/vzmigrate.real "$@"\n' "$*" >"$program"
	chmod 755 "$program"
}

# falls_back SENTENCE: a migration to B says it, once, and all memory arrives; from there to A, as the kernel is, not.
falls_back() {
	migrate --online 10.77.0.2 101
	kernel_lacks A
	kernel_lacks B
	assert_status 0
	assert_equal "$(grep -cF "$1" <<<"$output")" 1 || fail "$output"
	assert_runs_only_on B 101
	assert_memory 101
	MIGRATE_HOST=B migrate --online 10.77.0.1 101
	assert_status 0
	refute_output_has "$1"
	assert_memory 101
}

@test "on a kernel that does not tell what was written, or cannot fill in: one sentence says so, and all memory arrives" {
	container A 101 memory MB=72 DIRTY=12
	kernel_lacks A pagemap-scan userfaultfd
	falls_back "the kernel of this node cannot tell which memory changes"
	kernel_lacks B userfaultfd
	falls_back "is copied while it stands still: 10.77.0.2: the kernel cannot fill memory in"
}

# was_sent LEAST MOST [OPTION...]: container 101 moves to B over a slow link, and of its memory, in all no less than it has,
# so many per cent were sent; -v says so. Then it moves back.
was_sent() {
	local least=$1 most=$2
	shift 2
	lab link 100mbit
	migrate -b -v --online "$@" 10.77.0.2 101
	lab link unlimited
	assert_status 0
	events "(lambda r: r['memory_uncompressed'] > 48 << 20 and
		$least <= 100 * r['bytes']['memory'] / r['memory_uncompressed'] <= $most)(of('result')[0])"
	# Of noise, too, a page may become smaller: whether anything was compressed is certain only at either end.
	events "any('bytes of memory were ' in e['text'] and
		('compressed' in e['text']) in ($least < 100, $most < 100) for e in of('message'))"
	assert_runs_only_on B 101
	assert_memory 101
	MIGRATE_HOST=B migrate --online 10.77.0.1 101
	assert_status 0
	assert_memory 101
}

@test "what can be compressed goes over a slow link as less, by every type, and arrives as it was; what cannot as it is" {
	container A 101 memory MB=72 DIRTY=4 PROCESSES=1 CHANGES=no NOISE=30
	was_sent 30 42
	was_sent 30 42 --noiter
	was_sent 30 42 --lazy --noiter
	# What ssh compresses already is left to it.
	was_sent 100 100 --ssh=-C
	lab ct-remove A 101
	container A 101 memory MB=72 DIRTY=4 PROCESSES=1 CHANGES=no
	was_sent 97 100
}

@test "its own memory: at most 32 MiB, and 24 bytes for each page of the container" {
	local limit host peak looks
	container A 101 memory MB=256 SHARED=128 DIRTY=20 PROCESSES=1 CHANGES=no FILES=2000
	python3 "$fixtures/peak.py" A B --ready "$BATS_TEST_TMPDIR/ready" >"$BATS_TEST_TMPDIR/peak" 3>&- &
	watcher=$!
	wait_until 10 test -e "$BATS_TEST_TMPDIR/ready"
	migrate --online 10.77.0.2 101
	kill "$watcher"
	wait "$watcher"
	assert_status 0
	assert_memory 101
	limit=$((32 * 1024 + $(count_of pages "$memory_line") * 24 / 1024))
	echo "limit $limit KiB; $(paste -sd, "$BATS_TEST_TMPDIR/peak")" >&3
	while read -r host peak looks; do
		# Each is there during most of a migration of a second and more.
		[ "$looks" -gt 20 ] || fail "vzmigrate was seen on $host $looks times only"
		[ "$peak" -gt 0 ] && [ "$peak" -le "$limit" ] || fail "on $host: $peak KiB, limit $limit"
	done <"$BATS_TEST_TMPDIR/peak"
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/peak")" 2
}
