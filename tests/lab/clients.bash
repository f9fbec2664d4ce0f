# SPDX-License-Identifier: GPL-2.0-or-later
# clients.bash: alone responsible for the clients of a container under test: their start, their end and what they saw
# (sourced by helper.bash).
# shellcheck shell=bash disable=SC2154	# what helper.bash sets

declare -gA client_pids=()

# client_start NAME ADDRESS [OPTION...]: the checking echo client, on this machine; returns when it has an answer.
client_start() {
	local name=$1 out=$BATS_TEST_TMPDIR/client-$1
	shift
	python3 "$fixtures/client.py" "$@" --ready "$out.ready" </dev/null >"$out" 2>&1 3>&- &
	client_pids[$name]=$!
	wait_until 10 test -e "$out.ready" || fail "client $name: $(cat "$out")"
}

# client_stop NAME: ask it to end; fails unless its connection lived and every byte was right. Its line is
# in $client_line, its longest wait in milliseconds in $client_gap.
client_stop() {
	local code=0
	kill -TERM "${client_pids[$1]}" 2>/dev/null || true
	wait "${client_pids[$1]}" || code=$?
	unset "client_pids[$1]"
	client_line=$(cat "$BATS_TEST_TMPDIR/client-$1")
	client_gap=$(sed -n 's/.*gap=\([0-9]*\)\.\([0-9]*\).*/\1\2/p' <<<"$client_line")
	client_gap=$((10#${client_gap:-0}))
	[ "$code" = 0 ] || fail "client $1: $client_line"
}

stop_clients() {
	local name
	for name in "${!client_pids[@]}"; do
		kill -KILL "${client_pids[$name]}" 2>/dev/null || true
		wait "${client_pids[$name]}" 2>/dev/null || true
		unset "client_pids[$name]"
	done
}
