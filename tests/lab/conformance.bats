#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What every runtime must be able to: the same tests for each row of one table.

load helper

# runtime | keys of a container with a network | keys of one with a user namespace
# (criu cannot dump a user namespace together with a network namespace that has a name, which is the only
# one that moves with runc and crun.)
table="
	lxc  | PRIV=no  | PRIV=no
	runc | PRIV=yes | PRIV=no NET=no
	crun | PRIV=yes | PRIV=no NET=no
"

setup() { fresh; }

teardown() {
	stop_clients
	limit_processes B max
}

# each FUNCTION: with $RUNTIME, $keys and $user_keys of each row; the last line "runtime: …" tells which failed.
each() {

	while IFS='|' read -r RUNTIME keys user_keys; do
		RUNTIME=${RUNTIME//[[:space:]]/}
		[ -n "$RUNTIME" ] || continue
		echo "runtime: $RUNTIME"
		read -ra keys <<<"$keys"
		read -ra user_keys <<<"$user_keys"
		fresh
		"$@"
	done 4<&0 <<<"$table"
}

# inside HOST ID COMMAND...: in the container, by its runtime's own word: it knows the container.
inside() {
	local host=$1 id=$2
	shift 2
	case $RUNTIME in
	lxc) on "$host" lxc-attach -n "$id" -- "$@" </dev/null ;;
	*) on "$host" "$RUNTIME" exec "$id" "$@" </dev/null ;;
	esac
}

# end_on HOST ID: its runtime stops it, and then nothing of it runs.
end_on() {
	case $RUNTIME in
	lxc) on "$1" lxc-stop -k -n "$2" </dev/null ;;
	*)
		on "$1" "$RUNTIME" kill "$2" KILL
		stopped() { [ "$(state_of "$1" "$2")" = stopped ]; }
		wait_until 10 stopped "$1" "$2"
		on "$1" "$RUNTIME" delete "$2"
		;;
	esac
	assert_equal "$(running_on "$2")" ""
}

moves() {
	local before
	container A 101 mem "${keys[@]}" NASTY=yes
	client_start stream 10.77.0.101 --stream
	remember B
	before=$(counter A 101)
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_output_has "container '101' now runs on 10.77.0.2"
	assert_runs_only_on B 101
	assert_equal "$(inside B 101 hostname)" ct101
	[ "$(counter B 101)" -gt "$before" ]
	[ ! -e "$(root_of A)$(folder_of 101)" ]
	remember A
	MIGRATE_HOST=B migrate --online 10.77.0.1 101
	assert_status 0
	assert_runs_only_on A 101
	assert_unchanged B
	sleep 0.3
	client_stop stream
	assert_memory 101
	tree_of A "$(folder_of 101)/rootfs" --except . --except 'tmp/*' --except 'run/*' >"$BATS_TEST_TMPDIR/tree"
	migrate 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	assert_same_tree "$BATS_TEST_TMPDIR/tree" B "$(folder_of 101)/rootfs" --except . --except 'tmp/*' --except 'run/*'
	assert_unchanged A
	wait_until 10 on B python3 -c "import socket; socket.create_connection(('10.77.0.101', 7000), 1)"
	end_on B 101
}

# bats test_tags=vm
@test "a running container moves live, under a client that checks every byte, and back, and then with a restart" {
	each moves
}

is_renamed() {
	container A 101 mem "${keys[@]}"
	client_start one 10.77.0.101 --stream
	migrate --online 10.77.0.2 101:201
	assert_status 0
	assert_equal "$(running_on 101)" ""
	assert_runs_only_on B 201
	[ ! -e "$(root_of A)$(folder_of 101)" ]
	client_stop one
	assert_memory 101
	MIGRATE_HOST=B migrate 10.77.0.1 201:301
	assert_status 0
	assert_runs_only_on A 301
	assert_equal "$(inside A 301 hostname)" ct301
}

# bats test_tags=vm
@test "a container gets a new id, live and with a restart" {
	each is_renamed
}

has_user_namespace() {
	local before
	container A 101 mem "${user_keys[@]}"
	answers() { cat "$(root_of "$1")$(folder_of 101)/rootfs/tmp/loop" 2>/dev/null; }
	has_answers() { [ -n "$(answers A)" ]; }
	wait_until 20 has_answers
	before=$(counter A 101)
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	assert_equal "$(inside B 101 cat /proc/self/uid_map | tr -s ' ')" " 0 100000 65536"
	[ "$(counter B 101)" -gt "$before" ]
	run inside B 101 python3 -c "import socket; print(socket.create_connection(('127.0.0.1', 7001), 5).recv(100).decode())"
	assert_output_has "ok"
	# Its connection through the loopback device goes on.
	before=$(answers B)
	more_answers() { [ "$(answers B)" -gt "$before" ]; }
	wait_until 5 more_answers
}

@test "a container with a user namespace moves live" {
	each has_user_namespace
}

# A process in the container that criu cannot dump: its standard output is a file outside.
outsider() { on A pgrep -x -f 'python3 -c import time.*'; }
outsider_start() {
	local program='setsid python3 -c "import time; [time.sleep(1) for _ in range(300)]" &'
	local words="lxc-attach -n 101 --"
	[ "$RUNTIME" = lxc ] || words="$RUNTIME exec --detach 101"
	# shellcheck disable=SC2086
	on A sh -c 'exec "$@" </dev/null >/root/outside 2>&1' _ $words sh -c "$program"
	wait_until 5 outsider >/dev/null
}

dump_fails() {
	container A 101 mem "${keys[@]}"
	client_start one 10.77.0.101 --stream
	remember A B
	outsider_start
	migrate --online --nodeps=processes 10.77.0.2 101
	on A kill "$(outsider)"
	on A rm /root/outside
	put_back 8 "cannot checkpoint container '101'"
}

@test "8: criu cannot dump a process that writes into a file of its host" {
	each dump_fails
}

restore_fails() {
	local holder
	container A 101 mem "${keys[@]}"
	client_start one 10.77.0.101 --stream
	python3 - 10.77.0.101 <<-'END' 3>&- 4>&- &
		import socket, sys, time
		held = [socket.create_connection((sys.argv[1], 7000)) for _ in range(100)]
		time.sleep(600)
	END
	holder=$!
	threads() { [ "$(threads_of A 101)" -gt 100 ]; }
	wait_until 10 threads
	remember A B
	limit_processes B 60
	migrate --online 10.77.0.2 101
	kill "$holder"
	limit_processes B max
	put_back 7 "cannot restore container '101'"
}

# bats test_tags=vm
@test "7: criu cannot restore within the destination's limit of processes" {
	each restore_fails
}

redis() { python3 "$fixtures/redis_check.py" 10.77.0.101 "$@"; }

serves_redis() {
	local writer bench
	container A 101 redis "${keys[@]}"
	redis fill 5000
	python3 "$fixtures/redis_check.py" 10.77.0.101 write "$BATS_TEST_TMPDIR/written" 3>&- 4>&- &
	writer=$!
	chroot "$(lab tree pg)" redis-benchmark -h 10.77.0.101 -t set -r 100000 -n 10000000 -c 8 -q \
		</dev/null >"$BATS_TEST_TMPDIR/benchmark" 2>&1 3>&- 4>&- &
	bench=$!
	sleep 1
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	sleep 0.5
	kill -TERM "$writer"
	wait "$writer"
	# Its connections lived until now.
	kill -0 "$bench" || fail "$(tail -c 500 "$BATS_TEST_TMPDIR/benchmark")"
	kill -KILL "$bench"
	wait "$bench" 2>/dev/null || true
	refute_error "$BATS_TEST_TMPDIR/benchmark"
	run redis verify 5000 "$BATS_TEST_TMPDIR/written"
	assert_status 0
	echo "$RUNTIME: $output" >&3
}

refute_error() { ! grep -aiE 'error|closed|refused|reset' "$1" || fail "$(tail -c 500 "$1")"; }

@test "redis under redis-benchmark: no connection fails and every key is there" {
	each serves_redis
}
