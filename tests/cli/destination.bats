#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The way to the destination: whatever is wrong with it is status 4, one sentence, and soon.

load helper

setup_file() {
	start_sshd
}

teardown_file() {
	stop_sshd
}

setup() {
	make_node
}

@test "a name that does not resolve" {
	# How long a resolver takes to say no is its own affair.
	TIME_LIMIT_MS=30000
	refused 4 'nohost\.invalid' nohost.invalid 101
}

@test "a port that nobody listens on" {
	refused 4 '127\.0\.0\.1.*[Rr]efused' 127.0.0.1:1 101
	refused 4 '127\.0\.0\.1' --ssh='-p 1' 127.0.0.1 101
	refused 4 '127\.0\.0\.1' root@127.0.0.1:1 101
	refused 4 '::1.*[Rr]efused|::1.*[Uu]nreachable|::1.*[Aa]ssign' '[::1]:1' 101
}

@test "a server that is no ssh server, one that says nothing, one that hangs up" {
	for words in 'HTTP/1.1 400 Bad Request\r\n\r\n' '\x00\xff\x1b[2J\r\n' 'SSH-1.5-old\r\n' \
		'SSH-2.0-OpenSSH_9.2\r\n\xff\xff\xff\xff\xff\xff\xff\xff'; do
		listen "$words"
		refused 4 '127\.0\.0\.1' --timeout=2 "127.0.0.1:$listener_port" 101
		kill "$listener"
	done
	listen '' 60
	refused 4 '127\.0\.0\.1' --timeout=1 "127.0.0.1:$listener_port" 101
	kill "$listener"
}

# listen WORDS [SECONDS]: a server that says them to each client and hangs up after the seconds.
listen() {
	listener_port=$(free_port)
	python3 - "$listener_port" "$1" "${2-0.2}" 3>&- <<-'END' &
		import socket, sys, time
		server = socket.socket()
		server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		server.bind(("127.0.0.1", int(sys.argv[1])))
		server.listen(5)
		words = sys.argv[2].encode("ascii").decode("unicode_escape").encode("latin-1")
		while True:
		    client = server.accept()[0]
		    try:
		        client.sendall(words)
		        client.settimeout(float(sys.argv[3]))
		        while client.recv(4096): pass
		    except OSError:
		        pass
		    client.close()
	END
	listener=$!
	disown "$listener"
	wait_for_port "$listener_port"
}

@test "a host key that is unknown, changed or revoked" {
	refused 4 "is not known.*'ssh -p $port root@127\.0\.0\.1'" \
		--ssh="$(with_config UserKnownHostsFile "$server/empty_known_hosts")" "127.0.0.1:$port" 101
	refused 4 '[Hh]ost key|known' --ssh="$(with_config UserKnownHostsFile "$server/no_such_file")" \
		"127.0.0.1:$port" 101
	refused 4 "has changed.*'ssh-keygen -R \[127\.0\.0\.1\]:$port'.*'ssh -p $port root@127\.0\.0\.1'" \
		--ssh="$(with_config UserKnownHostsFile "$server/other_known_hosts")" "127.0.0.1:$port" 101
	{
		cat "$server/known_hosts"
		sed 's/^/@revoked /' "$server/known_hosts"
	} >"$server/revoked_known_hosts"
	refused 4 '[Hh]ost key' --ssh="$(with_config UserKnownHostsFile "$server/revoked_known_hosts")" \
		"127.0.0.1:$port" 101
	[ ! -s "$server/empty_known_hosts" ] || fail "a key was added"
	[ ! -e "$server/no_such_file" ] || fail "a file of keys was made"
}

@test "a changed host key is refused whatever the configuration says" {
	for checking in no accept-new off; do
		refused 4 '[Hh]ost key|StrictHostKeyChecking' --ssh="$(with_config \
			UserKnownHostsFile "$server/other_known_hosts" StrictHostKeyChecking $checking)" \
			"127.0.0.1:$port" 101
	done
}

@test "a login that is refused" {
	sed "s|$server/key|$server/refused_key|" "$server/config" >"$server/refused_config"
	refused 4 'log in|login|denied|refuse|authenti|accept' --ssh="-F $server/refused_config" "127.0.0.1:$port" 101
	refused 4 '127\.0\.0\.1' --ssh="-F $server/refused_config" "nobody@127.0.0.1:$port" 101
	sed "s|$server/key|$server/no_such_key|" "$server/config" >"$server/refused_config"
	refused 4 '127\.0\.0\.1' --ssh="-F $server/refused_config" "127.0.0.1:$port" 101
}

@test "options of ssh that cannot be honoured, and files that are not there" {
	vzmigrate --ssh="-F $server/no_such_config" "127.0.0.1:$port" 101
	[ "$status" -eq 1 ] || [ "$status" -eq 4 ] || report "-F of a file that is not there"
	[ "$(grep -c '' "$node/err")" -eq 1 ] || report "not one sentence"
	vzmigrate --ssh="$ssh -o NoSuchOption=1" "127.0.0.1:$port" 101
	[ "$status" -eq 1 ] || [ "$status" -eq 4 ] || report "-o of an option that ssh does not know"
	[ "$(grep -c '' "$node/err")" -eq 1 ] || report "not one sentence"
}

@test "no vzmigrate there" {
	rm -f "$remote/vzmigrate"
	refused 4 'vzmigrate is not installed on 127\.0\.0\.1' --ssh="$ssh" "127.0.0.1:$port" 101
	refused 4 'vzmigrate is not installed on' --ssh="$ssh -p $port" 127.0.0.1 101
	refused 4 'vzmigrate is not installed on' --ssh="$ssh -p $port -C -4" root@127.0.0.1 101
}
