#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that is filled in while the container runs already: what becomes of it when those who do that are killed.

load helper

setup() {
	fresh
	container A 101 mem MB=128
	remember A B
}
teardown() { stop_clients; }

nobody_is_there() { [ -z "$(on B pgrep -f 'vzmigrate --fill')" ]; }

# at_worker SCRIPT: begins to wait on B for the two who fill memory in, and then runs the script there with $guard and
# $worker; the test finds them in $guard and $worker after worker_done. A shell of its own there, because they are there
# for some tenths of a second.
at_worker() {
	on B sh -c "$(cat <<-'END'
		until set -- $(pgrep -f 'vzmigrate --[f]ill') && [ $# = 2 ]; do sleep 0.02; done
		guard=$1 worker=$2
		echo "$guard $worker"
	END
	)
	$1" >"$BATS_TEST_TMPDIR/worker" &
	waiter_pid=$!
}

worker_done() {
	wait "$waiter_pid"
	read -r guard worker <"$BATS_TEST_TMPDIR/worker"
}

# Once the destination is told, and so before criu lets go of anything.
stop_worker() {
	at_worker 'until grep -q told /var/lib/vzmigrate/101.journal; do :; done; kill -STOP $worker'
}

# ask_memory: what the container says of its memory within three seconds.
ask_memory() {
	timeout 3 python3 -c "import socket; s = socket.create_connection(('10.77.0.101', 7001), 3); print(s.recv(100).decode().strip())"
}

worker_is_lost() {
	local first
	stop_worker
	migrate_start --online 10.77.0.2 101
	worker_done
	wait_until 20 journal_says B running
	first=$(processes_of B 101)
	run ask_memory
	[ "$status" -ne 0 ] || fail "it answered: $output"
	on B kill -KILL "$worker"
	wait_until 20 nobody_is_there
	migrate_wait
	assert_status 0
	assert_output_has "the memory of container '101' could not be filled in"
	assert_output_has "container '101' lost what it had in memory: it is started again from its files"
	assert_runs_only_on B 101
	[ -z "$(comm -12 <(sort <<<"$first") <(processes_of B 101 | sort))" ] || fail "it went on"
	# Its program has just been started.
	wait_until 10 ask_memory
	assert_memory 101
	[ ! -e "$(root_of B)/var/lib/vzmigrate/101.journal" ]
	[ ! -e "$(root_of B)/run/vzmigrate" ] || fail "$(ls "$(root_of B)/run/vzmigrate")"
	[ ! -e "$(root_of A)$(folder_of 101)" ]
}

@test "whoever fills it in is killed: nobody reads zeros, the container ends, and is started from its files" {
	worker_is_lost
}

@test "it is killed: the same for a container of runc, of crun" {
	for RUNTIME in runc crun; do
		fresh
		container A 101 mem PRIV=yes MB=128
		worker_is_lost
	done
}

@test "whoever guards that is killed: it goes on" {
	client_start one 10.77.0.101 --stream
	stop_worker
	migrate_start --online 10.77.0.2 101
	worker_done
	wait_until 20 journal_says B running
	# The kernel lets who is stopped go on when its group is orphaned; it may have ended already.
	on B sh -c 'kill -KILL "$1"; kill -CONT "$2" || true' _ "$guard" "$worker"
	migrate_wait
	assert_status 0
	assert_runs_only_on B 101
	wait_until 20 nobody_is_there
	sleep 0.3
	client_stop one
	assert_memory 101
	[ ! -e "$(root_of B)/run/vzmigrate" ] || fail "$(ls "$(root_of B)/run/vzmigrate")"
}

@test "7: it is killed before the container is there: the source runs on" {
	client_start one 10.77.0.101 --stream
	at_worker 'kill -KILL $worker'
	migrate_start --online 10.77.0.2 101
	worker_done
	migrate_wait
	put_back 7 "cannot restore container '101': its memory cannot be filled in: the process that brings it has ended with status 137"
}

@test "the kernel's setting for it is put back" {
	setting=/proc/sys/vm/unprivileged_userfaultfd
	was=$(cat $setting)
	on B sh -c "echo 0 >$setting"
	migrate --online 10.77.0.2 101
	is=$(cat $setting)
	on B sh -c "echo $was >$setting"
	assert_status 0
	[ "$is" = 0 ]
	assert_memory 101
}
