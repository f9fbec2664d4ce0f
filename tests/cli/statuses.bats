#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every exit status, and what --batch says of it. Those that a destination finds are said by a stand-in for it.

load helper

setup_file() {
	start_sshd
}

teardown_file() {
	stop_sshd
}

setup() {
	make_node
	rm -f "$remote"/*
}

# result CODE: a Python expression over `result`, the last object on standard output, and `events`, all of them.
result() {
	python3 -c '
import json, sys
events = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
result = events[-1]
assert eval("(" + sys.argv[2] + ")"), events' "$node/out" "$1" || report "not so: $1"
}

published="0:EXIT_OK 1:EXIT_USAGE 2:EXIT_VE_STOPPED 4:EXIT_CONNECT 6:EXIT_COPY 7:EXIT_VE_START 8:EXIT_VE_STOP
	9:EXIT_EXISTS 10:EXIT_NOTEXIST 12:EXIT_IP_INUSE 13:EXIT_QUOTA 14:EXIT_RUNTIME 18:EXIT_CPU 20:EXIT_LOCKED
	25:EXIT_INTERRUPTED 31:EXIT_DISK_SPACE 32:EXIT_TECHNOLOGIES 110:EXIT_UNRESOLVED"

@test "the published statuses are those of the program and of the man page" {
	# shellcheck disable=SC2086
	[ "$(sed -n 's/^\t\(EXIT_[A-Z_]*\) = \([0-9]*\),$/\2:\1/p' include/base/error.h)" = "$(printf '%s\n' $published)" ]
}

@test "what the destination finds is the status, and has its name in JSON" {
	for pair in $published; do
		number=${pair%%:*}
		[ "$number" != 0 ] || continue
		speaker "send(hello); receive()
reply(request(), {'type': 'error', 'exit_status': $number, 'text': 'because \"so\" \\\\ \\x9b'})
while receive(): pass"
		vzmigrate -b --timeout=5 --ssh="$ssh" "127.0.0.1:$port" 101
		[ "$status" -eq "$number" ] || report "status $number"
		[ ! -s "$node/err" ] || report "--batch leaves standard error alone"
		result "(result['event'], result['container']) == ('result', '101') and
			(result['status'], result['name']) == ($number, '${pair#*:}') and
			result['text'] == '127.0.0.1: because \"so\" \\\\ ?' and
			'outcome' not in result and result['stop_ms'] is None and result['total_ms'] >= 0 and
			[s['stage'] for s in result['stages']] == ['lock', 'find', 'connect', 'check'] and
			result['bytes'] == {'files': 0, 'changes': 0, 'memory': 0}"
	done
}

@test "what is found here has its own" {
	while IFS='|' read -r number arguments; do
		[ -n "$number" ] || continue
		# shellcheck disable=SC2086
		vzmigrate -b $arguments
		[ "$status" -eq "$number" ] || report "$arguments: the status is not $number"
		[ ! -s "$node/err" ] || report "$arguments: something on standard error"
		result "result['status'] == $number and result['text']"
	done <<-END
		2|--online nohost.invalid 101
		4|127.0.0.1:1 101
		10|nohost.invalid nosuch
	END
	without lxc-config lxc-info lxc-ls lxc-start lxc-stop lxc-checkpoint lxc-freeze lxc-unfreeze lxc-wait lxc-attach
	vzmigrate -b nohost.invalid 101
	[ "$status" -eq 14 ] || report "without lxc"
	result "result['name'] == 'EXIT_RUNTIME'"
}

@test "20: what another process holds is not touched, and the process is named" {
	mkdir -p /run/lock/vzmigrate "$home/held/rootfs"
	sed 's/101/held/g' "$home/101/config" >"$home/held/config"
	exec 8>/run/lock/vzmigrate/held.lock
	flock 8
	refused 20 "'held'" nohost.invalid held
	vzmigrate -b nohost.invalid held
	[ "$status" -eq 20 ] || report "-b"
	result "result['name'] == 'EXIT_LOCKED'"
	exec 8>&-
	rm -f /run/lock/vzmigrate/held.lock
}

@test "25: each container of an interrupted list has its result, one after the other and at once" {
	speaker 'send(hello); receive(); request(); time.sleep(60)'
	mkdir -p "$home/102/rootfs" "$home/103/rootfs"
	for id in 102 103; do sed "s/101/$id/g" "$home/101/config" >"$home/$id/config"; done
	for parallel in 1 2 3; do
		env PATH="$tools" "$VZMIGRATE" -b --timeout=2 --parallel=$parallel --ssh="$ssh" "127.0.0.1:$port" 101 102 103 \
			>"$node/out" 2>"$node/err" </dev/null 3>&- &
		pid=$!
		for ((i = 0; i < 100; i++)); do
			! grep -q '"stage":"check"' "$node/out" || break
			sleep 0.05
		done
		kill -TERM $pid
		status=0
		wait $pid || status=$?
		[ "$status" -eq 25 ] || report "--parallel=$parallel: the status is not 25"
		result "sorted((e['container'], e['status'], 'interrupted' in e['text']) for e in events if e['event'] == 'result') == [
			(str(id), 25, True) for id in (101, 102, 103)]"
		[ ! -s "$node/err" ] || report "--parallel=$parallel: something on standard error"
	done
}

@test "1: a wrong command line is told on standard error, and in JSON to who asked for that" {
	vzmigrate -b --frobnicate nohost.invalid 101
	[ "$status" -eq 1 ] || report "the status is not 1"
	[ "$(grep -c "frobnicate" "$node/err")" -eq 1 ] || report "not on standard error"
	result "(result['event'], result['container'], result['status'], result['name']) == ('result', None, 1, 'EXIT_USAGE')"
	vzmigrate --frobnicate -b nohost.invalid 101
	[ "$status" -eq 1 ] && [ ! -s "$node/out" ] || report "--batch after the mistake"
}

@test "several at once: the first that failed in the order of the list gives the status" {
	for parallel in 1 3; do
		vzmigrate -b --online --parallel=$parallel nohost.invalid nosuch 101 neither
		[ "$status" -eq 10 ] || report "--parallel=$parallel"
		vzmigrate -b --online --parallel=$parallel nohost.invalid 101 nosuch neither
		[ "$status" -eq 2 ] || report "--parallel=$parallel"
		result "sorted((e['container'], e['status']) for e in events if e['event'] == 'result') == [('101', 2), ('neither', 10), ('nosuch', 10)]"
	done
}

@test "-v with --batch: messages are events too" {
	vzmigrate -b -v nohost.invalid nosuch
	[ ! -s "$node/err" ] || report "something on standard error"
	result "any(e['event'] == 'message' and e['level'] == 'debug' and e['container'] == 'nosuch' for e in events)"
	result "all(abs(e['time_ms'] / 1000 - __import__('time').time()) < 60 for e in events)"
}
