#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Several containers in one run, one after the other and at once; what a script and a terminal get to see.
# Each test takes the containers where the one before has left them.

load helper

setup_file() {
	fresh
	for id in 101 102 103; do container A $id mem MB=16; done
}

teardown() { stop_clients; }

all_run_on() {
	for id in 101 102 103; do assert_runs_only_on "$1" $id || return; done
}

@test "three at once, live: each has its result, and no two are stopped at the same time" {
	for id in 101 102 103; do client_start $id 10.77.0.$id; done
	migrate -b --online --parallel=3 10.77.0.2 101 102 103
	assert_status 0
	all_run_on B
	for id in 101 102 103; do client_stop $id; done
	events 'sorted(e["container"] for e in of("result")) == ["101", "102", "103"]'
	events 'all(e["status"] == 0 and e["name"] == "EXIT_OK" and e["text"] is None for e in of("result"))'
	events 'all((e["outcome"], e["state"], e["destination"]) == ("moved", "running", "10.77.0.2") for e in of("result"))'
	events 'all(0 < e["stop_ms"] < e["total_ms"] for e in of("result"))'
	events '(lambda s: all(a[1] <= b[0] for a, b in zip(s, s[1:])))(sorted(map(stopped, ("101", "102", "103"))))'
	# The second did not wait for the end of the first.
	events 'max(of("stage", c)[0]["time_ms"] for c in ("101", "102", "103")) < min(e["time_ms"] for e in of("result"))'
	events 'all(e["event"] in ("stage", "progress", "check", "message", "result") for e in events)'
}

@test "two at once of three, -s: the first that failed in the order of the list gives the status" {
	MIGRATE_HOST=B migrate -b -s --parallel=2 10.77.0.1 102 nosuch 103 neither
	assert_status 10
	for id in 102 103; do
		assert_equal "$(running_on $id)" ""
		assert_equal "$(on A lxc-info -n $id -sH)" STOPPED
		[ ! -e "$(root_of B)/var/lib/lxc/$id" ]
	done
	assert_runs_only_on B 101
	events 'sorted((e["container"], e["status"]) for e in of("result")) == [("102", 0), ("103", 0), ("neither", 10), ("nosuch", 10)]'
	events 'all((e["state"], e["stop_ms"]) == ("stopped", None) for e in of("result") if e["status"] == 0)'
	events 'all("nosuch" in e["text"] and e["name"] == "EXIT_NOTEXIST" for e in of("result", "nosuch"))'
	MIGRATE_HOST=B migrate -s 10.77.0.1 101
	assert_status 0
	assert_output_has "container '101' is now on 10.77.0.1, stopped ("
	assert_equal "$(running_on 101)" ""
	for id in 101 102 103; do on A lxc-start -n $id -d </dev/null; done
}

@test "--bwlimit holds before the stop and not in it; progress and bytes are told" {
	on A dd if=/dev/urandom of=/var/lib/lxc/101/rootfs/srv/big bs=1M count=16 status=none
	migrate -b -v --online --bwlimit=6M 10.77.0.2 101
	assert_status 0
	# The passes before the stop have it, the two that wait for the stop have not.
	events '(lambda limited: limited[0] and limited[-2:] == [False, False])(["--bwlimit=6144" in e["text"] for e in of("message") if e["text"].startswith("run: rsync")])'
	events 'sum(e["text"].startswith("run: rsync") for e in of("message")) > 1'
	events 'next(s["ms"] for s in of("result")[0]["stages"] if s["stage"] == "copy-files") > 2000'
	events '16 << 20 < of("result")[0]["bytes"]["files"] < 100 << 20 and of("result")[0]["bytes"]["memory"] > 16 << 20'
	events '{e["kind"] for e in of("progress")} == {"files", "changes", "memory"}'
	events '(lambda p: len(p) > 4 and all(a["bytes"] <= b["bytes"] for a, b in zip(p, p[1:])) and
		(p[-1]["bytes"], p[-1]["eta"]) == (p[-1]["total"], 0) and p[-1]["bytes"] >= 16 << 20 and
		any(2 << 20 < e["rate"] < 12 << 20 for e in p))([e for e in of("progress") if e["stage"] == "copy-files"])'
	MIGRATE_HOST=B migrate --online 10.77.0.1 101
	assert_status 0
	refute_output_has progress
}

# interrupt_when PATTERN SIGNAL: as soon as the run has said that.
interrupt_when() {
	wait_until 20 grep -q "$1" "$BATS_TEST_TMPDIR/migrate.out"
	on A sh -c 'kill -'"$2"' $(pgrep -o -x vzmigrate)'
	migrate_wait
}

@test "^C stops the list: what runs is put back, what waits is not begun, each has its sentence" {
	remember A B
	for parallel in 1 2; do
		migrate_start --online --parallel=$parallel --rsync=--bwlimit=300 10.77.0.2 101 102 103
		interrupt_when "copying files" INT
		assert_status 25
		all_run_on A
		assert_equal "$(grep -c '^vzmigrate: container .*interrupted' <<<"$output")" 3
		assert_unchanged A B || fail "$output"
	done
}

@test "a worker that is killed costs its container's migration only, and says what to do" {
	client_start one 10.77.0.101
	migrate_start --online --parallel=2 --rsync=--bwlimit=2000 10.77.0.2 101 102
	wait_until 20 grep -q "'101': copying files" "$BATS_TEST_TMPDIR/migrate.out"
	on A sh -c 'kill -KILL $(cat /run/lock/vzmigrate/101.lock)'
	migrate_wait
	assert_status 110
	assert_output_has "run 'vzmigrate --recover 101'"
	assert_runs_only_on B 102
	assert_runs_only_on A 101
	migrate --recover 101
	assert_status 0
	client_stop one
	[ ! -e "$(root_of A)/var/lib/vzmigrate/101.journal" ]
	MIGRATE_HOST=B migrate --online 10.77.0.1 102
	assert_status 0
}

@test "a terminal has one line for each container that changes in place, and nobody else has" {
	lines() { sed 's/\x1b\[J/\n/g' <<<"$output" | tr '\r' '\n'; }
	run on A timeout 120 env TERM=xterm script -qec 'vzmigrate --online -t --parallel=2 10.77.0.2 101 102' /dev/null </dev/null
	assert_status 0
	lines | grep -qE '^101 +freezing and dumping$' || fail "no line of 101:" "$output"
	lines | grep -qE '^102 +freezing and dumping$' || fail "no line of 102:" "$output"
	assert_output_has "container '101' now runs on 10.77.0.2"
	assert_output_has "stopped for"
	lines | grep -qE '^101 +copying files +[0-9]+%  +[0-9.]+ [KMG]iB of [0-9.]+ [KMG]iB  +[0-9.]+ [KMG]?i?B/s' ||
		fail "no progress of 101:" "$output"
	# Up by one line for the second container, and never more.
	grep -q $'\x1b\[1A' <<<"$output" || fail "the lines are not drawn in place:" "$output"
	! grep -q $'\x1b\[[2-9]A' <<<"$output" || fail "more than two lines are drawn:" "$output"
	MIGRATE_HOST=B migrate --online 10.77.0.1 101 102
	assert_status 0
	! grep -q $'\x1b' <<<"$output" || fail "escape sequences for a pipe"
	assert_equal "$(grep -c ' now runs on 10.77.0.1 ' <<<"$output")" 2
	all_run_on A
}
