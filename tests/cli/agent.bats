#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The two ends of the wire against a peer that is not what it should be. A real ssh server; behind it
# a stand-in for the remote vzmigrate; and the agent itself with a source that talks rubbish.

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

refuse_peer() {
	refused 4 '127\.0\.0\.1' --timeout=1 --ssh="$ssh" "127.0.0.1:$port" 101
}

@test "a peer that is something else: a banner, an exit, silence" {
	peer <<-'END'
		#!/bin/sh
		echo 'Welcome to this host! Have a lot of fun.'
	END
	refuse_peer
	peer <<-'END'
		#!/bin/sh
		echo 'cannot load a library' >&2
		exit 3
	END
	refuse_peer
	grep -q 'cannot load a library' "$node/err" || report "the remote's last words are missing"
	peer <<-'END'
		#!/bin/sh
		exit 0
	END
	refuse_peer
	peer <<-'END'
		#!/bin/sh
		exec /bin/sleep 60
	END
	refuse_peer
	peer <<-'END'
		#!/bin/sh
		kill -KILL $$
	END
	refuse_peer
	peer <<-'END'
		#!/bin/sh
		printf '\033[2Jvzmigrate: container 101: done\033[0m\n' >&2
		exit 1
	END
	refuse_peer
}

@test "a peer that talks on or stays after what is no greeting, with the usual timeout" {
	for script in 'while :; do echo y; done' 'echo Welcome; exec /bin/sleep 60'; do
		stand_in "$remote" vzmigrate <<<$'#!/bin/sh\n'"$script"
		refused 4 "does not speak vzmigrate's protocol: it said '(y|Welcome)" --ssh="$ssh" \
			"127.0.0.1:$port" 101
	done
}

@test "a banner and an end without an error: the banner is quoted" {
	stand_in "$remote" vzmigrate <<<$'#!/bin/sh\necho Welcome'
	refused 4 "it said 'Welcome" --ssh="$ssh" "127.0.0.1:$port" 101
}

@test "a vzmigrate that is too old to be an agent" {
	peer <<-'END'
		#!/bin/sh
		echo "vzmigrate: unknown option '--agent'" >&2
		exit 1
	END
	refused 4 "127\.0\.0\.1.*unknown option '--agent'" --ssh="$ssh" "127.0.0.1:$port" 101
}

@test "a peer whose first frame is not a greeting" {
	for code in \
		'raw(b"\xff\xff\xff\xff" + b"x" * 100000); receive()' \
		'raw(b"\x7f\xff\xff\xff")' \
		'raw(b"\x00\x00\x00\x00")' \
		'raw(b"\x00\x00\x00\x20{\"type\": \"he")' \
		'send(b"this is not JSON"); receive()' \
		'send(b"[" * 10000)' \
		'send(b"[]")' \
		'send({"type": "hello"})' \
		'send({"type": ["hello"], "protocol": {}, "version": None}); receive()'; do
		speaker "$code"
		refuse_peer || fail "the peer did: $code"
	done
}

@test "a peer of another version is told from a broken one" {
	for protocol in 0 -1 1e99; do
		speaker "send({'type': 'hello', 'protocol': $protocol, 'version': '9.9'})"
		refuse_peer
	done
	speaker "send({'type': 'hello', 'protocol': 99, 'version': '9.9'}); receive()"
	refused 4 'vzmigrate 9\.9 on 127\.0\.0\.1 speaks protocol 99' --timeout=1 --ssh="$ssh" "127.0.0.1:$port" 101
	speaker "send({'type': 'hello', 'protocol': 99, 'version': '9\\033[2J\\nx'}); receive()"
	refuse_peer
}

@test "a peer that is lost after the greeting" {
	for code in \
		'send(hello); receive()' \
		'send(hello); receive(); request()' \
		'send(hello); receive(); request(); raw(b"\xff\xff\xff\xff")' \
		'send(hello); receive(); request(); send(b"nonsense")'; do
		speaker "$code"
		refuse_peer || fail "the peer did: $code"
	done
}

@test "a peer that falls silent after the greeting" {
	speaker 'send(hello); receive(); request(); time.sleep(60)'
	refused 4 '127\.0\.0\.1' --timeout=1 --ssh="$ssh" "127.0.0.1:$port" 101
}

@test "what a peer says is shown without its control characters, in one line" {
	speaker 'send(hello); receive()
reply(request(), {"type": "error", "exit_status": 9, "text": "evil \033[2J\nvzmigrate: forged\r\b\u009b2J"})
while receive(): pass'
	refused 9 'evil' --timeout=2 --ssh="$ssh" "127.0.0.1:$port" 101
	! LC_ALL=C grep -q $'\xc2\x9b' "$node/err" || report "U+009B reached the terminal"
	for exit_status in 0 -1 256 999999 '"x"' null; do
		speaker "null = None
send(hello); receive()
reply(request(), {'type': 'error', 'exit_status': $exit_status, 'text': 'no'})
while receive(): pass"
		before=$(what_is)
		vzmigrate --timeout=2 --ssh="$ssh" "127.0.0.1:$port" 101
		[ "$status" -ne 0 ] && [ "$status" -lt 125 ] || report "the peer's status $exit_status"
		[ "$(grep -c '' "$node/err")" -eq 1 ] || report "not one sentence"
		[ "$(what_is)" = "$before" ] || report "something changed"
	done
}

# real_peer: the remote vzmigrate is the real one, with the same stand-ins around it.
real_peer() {
	rm -f "$remote"/*
	cp -P "$tools"/* "$remote/"
	ln -sfn "$VZMIGRATE" "$remote/vzmigrate"
}

@test "onto its own host: it is locked already, and nothing happens to the container" {
	real_peer
	refused 20 "101" --timeout=5 --ssh="$ssh" "127.0.0.1:$port" 101
}

@test "without rsync on either side: 14, and the side is named" {
	real_peer
	without rsync
	refused 14 'rsync' --timeout=5 --ssh="$ssh" "127.0.0.1:$port" 101
	make_tools
	rm "$remote/rsync"
	refused 14 '127\.0\.0\.1.*rsync' --dry-run --timeout=5 --ssh="$ssh" "127.0.0.1:$port" 101
}

@test "without lxc there: 14, and the side is named" {
	real_peer
	rm "$remote"/lxc-*
	refused 14 '127\.0\.0\.1.*lxc' --timeout=5 --ssh="$ssh" "127.0.0.1:$port" 101
}

# agent: what the agent does with the bytes on standard input; fills status, $node/out and $node/err.
agent() {
	status=0
	timeout -k 1 5 "$VZMIGRATE" --agent >"$node/out" 2>"$node/err" || status=$?
}

@test "the agent ends when its source is gone, talks rubbish or has another version" {
	for bytes in '' 'rubbish' '\xff\xff\xff\xff' '\x00\x00\x00\x00' '\x00\x00\x00\x02{}' \
		'\x00\x00\x00\x04nope' '\x00\x00\x00\x2d{"type":"hello","protocol":9,"version":"0.1.0"}'; do
		agent < <(printf '%b' "$bytes")
		[ "$status" -ne 0 ] && [ "$status" -lt 124 ] || fail "'$bytes': status $status"
		[ "$(head -c 4 "$node/out" | tr '\0' 0)" != "" ] || fail "'$bytes': it did not greet"
		head -c 200 "$node/out" | grep -qa '"hello"' || fail "'$bytes': it did not greet"
	done
}

@test "the agent refuses requests that it does not understand, and lives" {
	python3 - "$VZMIGRATE" <<-'END'
		import json, struct, subprocess, sys
		agent = subprocess.Popen([sys.argv[1], "--agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		def send(message):
		    body = json.dumps(message).encode()
		    agent.stdin.write(struct.pack(">I", len(body)) + body)
		    agent.stdin.flush()
		def receive():
		    message = {"type": "log"}
		    while message["type"] == "log":
		        length = struct.unpack(">I", agent.stdout.read(4))[0]
		        message = json.loads(agent.stdout.read(length))
		    return message
		hello = receive()
		assert hello["type"] == "hello", hello
		send(dict(hello, timeout=10, verbosity=1))
		for number, request in enumerate([
		        {}, {"operation": 1}, {"operation": "no-such", "arguments": {}}, {"operation": "no-such"},
		        {"operation": "x" * 1000, "arguments": {}}, {"operation": "lock", "arguments": []},
		        {"operation": "lock", "arguments": {"id": "../x"}},
		        {"operation": "lock", "arguments": {"id": 7}}]):
		    send(dict(request, type="request", number=number))
		    answer = receive()
		    assert answer["type"] == "error", (request, answer)
		    assert answer.get("number", number) == number, answer
		    assert answer["text"] and "\n" not in answer["text"], answer
		agent.stdin.close()
		assert agent.wait(5) == 0
	END
}
