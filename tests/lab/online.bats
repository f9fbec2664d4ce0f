#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Live migration: processes, memory and open connections move; nobody notices but by a pause.

load helper

setup() { fresh; }
teardown() { stop_clients; }

@test "a container with user namespaces moves under two clients that check every byte" {
	container A 101 mem MB=64 DIRTY=8 NASTY=yes
	client_start steps 10.77.0.101
	client_start stream 10.77.0.101 --stream
	before=$(counter A 101)
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_output_has "container '101' now runs on 10.77.0.2"
	assert_runs_only_on B 101
	sleep 0.5
	client_stop steps
	client_stop stream
	assert_memory 101
	# It went on, it did not start again.
	[ "$(counter B 101)" -gt "$before" ]
	[ ! -e "$(root_of A)/var/lib/lxc/101" ]
}

@test "what does not change meanwhile is the same tree there" {
	container A 101 mem NASTY=yes FILES=1000
	tree_of A /var/lib/lxc/101/rootfs --except . --except tmp --except 'tmp/*' --except 'run/*' >"$BATS_TEST_TMPDIR/tree"
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_same_tree "$BATS_TEST_TMPDIR/tree" B /var/lib/lxc/101/rootfs --except . --except tmp --except 'tmp/*' --except 'run/*'
}

@test "a privileged container moves" {
	container A 101 mem PRIV=yes
	client_start one 10.77.0.101 --stream
	migrate --live 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	sleep 0.5
	client_stop one
	assert_memory 101
}

@test "connections over IPv6 go on" {
	container A 101 mem
	client_start four 10.77.0.101 --stream
	client_start six fd77::101 --stream
	migrate --online '[fd77::2]' 101
	assert_status 0
	assert_runs_only_on B 101
	sleep 0.5
	client_stop four
	client_stop six
}

# What was lost its sender would repeat after the stop's double, and an address after a second.
@test "who waits for an answer waits hardly longer than the container stands still" {
	local stopped
	container A 101 mem MB=16
	client_start four 10.77.0.101 --step
	client_start six fd77::101 --step
	migrate --online 10.77.0.2 101
	assert_status 0
	sleep 1.5
	stopped=$(sed -n 's/.*(stopped for \([0-9]*\) ms.*/\1/p' <<<"$output")
	for name in four six; do
		client_stop $name
		[ "$client_gap" -lt $((stopped + 300)) ] ||
			fail "client $name waited $client_gap ms, the container stood still for $stopped ms"
	done
}

# back_and_there_again: container 101 has just come to B; it goes to A and to B again, and leaves each host as it was
# before it came (remember B).
back_and_there_again() {
	remember A
	MIGRATE_HOST=B migrate --online 10.77.0.1 101
	assert_status 0
	assert_runs_only_on A 101
	assert_unchanged B
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_unchanged A
}

# bats test_tags=vm
@test "there and back again, nothing is left on either host" {
	container A 101 mem
	client_start one 10.77.0.101 --stream
	remember B
	migrate --online 10.77.0.2 101
	assert_status 0
	back_and_there_again
	sleep 0.5
	client_stop one
	assert_memory 101
}

@test "a container in which nothing changes leaves nothing either" {
	container A 101 redis
	remember B
	migrate --online -v 10.77.0.2 101
	assert_status 0
	assert_output_has ": 0 paths changed, 0 files to compare"
	back_and_there_again
}

@test "two containers, one after the other, with one command" {
	container A 101 mem
	container A 102 mem PRIV=yes
	client_start one 10.77.0.101 --stream
	client_start two 10.77.0.102 --stream
	migrate --online 10.77.0.2 101 102
	assert_status 0
	assert_runs_only_on B 101
	assert_runs_only_on B 102
	sleep 0.5
	client_stop one
	client_stop two
}

@test "another user there goes through sudo -n" {
	container A 101 mem
	client_start one 10.77.0.101
	migrate --online admin@10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	sleep 0.5
	client_stop one
}

@test "the destination announces the container's addresses" {
	container A 101 mem
	on C timeout 60 tcpdump -l -n -i br0 'arp or icmp6' >"$BATS_TEST_TMPDIR/dump" 2>/dev/null 3>&- &
	dumper=$!
	sleep 1
	migrate --online 10.77.0.2 101
	assert_status 0
	announced() {
		grep -qE 'ARP, .*10\.77\.0\.101 .*(10\.77\.0\.101|is-at 00:16:3e:00:01:65)' "$BATS_TEST_TMPDIR/dump" &&
			grep -q 'neighbor advertisement, tgt is fd77::101' "$BATS_TEST_TMPDIR/dump"
	}
	wait_until 5 announced
	kill "$dumper"
}

# PostgreSQL's buffers are shared memory. `session` asks over one connection that stays.
@test "PostgreSQL with 256 MiB of buffers in use: its tables read the same there, over the same connection" {
	local sum question='select pg_backend_pid(), count(*), sum(hashtext(wide::text)) from wide'
	container A 101 pg START=no
	echo "shared_buffers = 256MB" >>"$(echo "$(root_of A)"/var/lib/lxc/101/rootfs/etc/postgresql/*/main/postgresql.conf)"
	on A lxc-start -n 101 -d </dev/null
	pg() { on C psql -h 10.77.0.101 -U postgres -AtXqc "$1"; }
	answers() { [ -n "$(pg 'select 1' 2>/dev/null)" ]; }
	wait_until 20 answers
	assert_equal "$(pg 'show shared_buffers')" 256MB
	pg 'create table wide as select g, repeat(md5(g::text), 20) from generate_series(1, 300000) g'
	pg 'create extension pg_prewarm'
	[ "$(pg "select pg_prewarm('wide')")" -gt 25000 ]
	mkfifo "$BATS_TEST_TMPDIR/questions"
	on C psql -h 10.77.0.101 -U postgres -AtXq <"$BATS_TEST_TMPDIR/questions" >"$BATS_TEST_TMPDIR/answers" 2>&1 3>&- &
	session=$!
	exec 7>"$BATS_TEST_TMPDIR/questions"
	has_answers() { [ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" = "$1" ]; }
	echo "$question;" >&7
	wait_until 20 has_answers 1
	migrate -b --online 10.77.0.2 101
	echo "$question;" >&7
	exec 7>&-
	assert_status 0
	events 'of("round")[0]["dumped"] > 200 << 20'
	events 'of("result")[0]["bytes"]["memory"] - sum(e["sent"] for e in of("round")) < 50 << 20'
	assert_runs_only_on B 101
	wait "$session" || fail "$(cat "$BATS_TEST_TMPDIR/answers")"
	has_answers 2
	assert_equal "$(sort -u "$BATS_TEST_TMPDIR/answers" | wc -l)" 1
	sum=$(head -n 1 "$BATS_TEST_TMPDIR/answers")
	[[ $sum == *"|300000|"* ]]
}

@test "PostgreSQL under pgbench: no transaction fails and the balances add up" {
	container A 101 pg
	pg() { on C psql -h 10.77.0.101 -U postgres -AtXqc "$1"; }
	on C pgbench -q -i -s 2 -h 10.77.0.101 -U postgres postgres >/dev/null 2>&1
	on C pgbench -h 10.77.0.101 -U postgres -c 4 -T 12 postgres >"$BATS_TEST_TMPDIR/pgbench" 2>&1 3>&- &
	bench=$!
	sleep 2
	migrate --online -t 10.77.0.2 101
	assert_status 0
	assert_output_has "stopped for"
	assert_runs_only_on B 101
	wait "$bench" || fail "pgbench: $(cat "$BATS_TEST_TMPDIR/pgbench")"
	grep -q 'number of failed transactions: 0 ' "$BATS_TEST_TMPDIR/pgbench" || fail "$(cat "$BATS_TEST_TMPDIR/pgbench")"
	done=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$BATS_TEST_TMPDIR/pgbench")
	assert_equal "$(pg 'select count(*) from pgbench_history')" "$done"
	assert_equal "$(pg 'select sum(abalance) from pgbench_accounts')" "$(pg 'select sum(delta) from pgbench_history')"
	assert_equal "$(pg 'select sum(tbalance) from pgbench_tellers')" "$(pg 'select sum(bbalance) from pgbench_branches')"
}
