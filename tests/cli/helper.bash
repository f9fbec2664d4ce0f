# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# helper.bash: alone responsible for what the command-line tests share: stand-ins for the outside
# programs, a home of containers, an ssh server on the loopback, and the one assertion.
#
# A test calls `refused STATUS PATTERN ARGUMENT...`: vzmigrate must end with that status in under five
# seconds, with exactly one sentence on standard error that matches the pattern, and nothing changed.

bats_require_minimum_version 1.5.0

PATTERN_SENTENCE='^vzmigrate: [^A-Z ].*[^.]$|^vzmigrate: [A-Z][A-Za-z]*[A-Z]'
TIME_LIMIT_MS=5000

# fail WORDS: what a test that failed says.
fail() {
	printf '%s\n' "$@" >&2
	return 1
}

milliseconds() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# stand_in DIRECTORY NAME: a program made of the script on standard input.
stand_in() {
	mkdir -p "$1"
	cat >"$1/$2"
	chmod 755 "$1/$2"
}

# make_node: $node with tools/ (the only directory on PATH for vzmigrate) and containers/ (a home with the stopped
# container 101). Nothing else of this machine's lxc and criu is seen.
make_node() {
	node=$(mktemp -d "${BATS_FILE_TMPDIR:-/tmp}/node-XXXXXX")
	home=$node/containers
	tools=$node/tools
	mkdir -p "$home/101/rootfs/etc"
	echo marker >"$home/101/rootfs/etc/hostname"
	cat >"$home/101/config" <<-END
		lxc.uts.name = 101
		lxc.rootfs.path = dir:$home/101/rootfs
		lxc.net.0.type = empty
	END
	make_tools
	export node home tools
}

make_tools() {
	local name
	mkdir -p "$tools"
	for name in ssh rsync ip iptables sh bash env cat ls sleep timeout setsid; do
		type -P "$name" >/dev/null && ln -sfn "$(type -P "$name")" "$tools/$name"
	done
	stand_in "$tools" lxc-config <<-END
		#!/bin/sh
		[ "\$1" = --version ] && echo 6.0.4 || echo $home
	END
	stand_in "$tools" lxc-info <<-END
		#!/bin/bash
		# Every container of this home is stopped.
		while [ \$# -gt 0 ]; do
			case \$1 in
			-n | --name) name=\$2; shift ;;
			--name=*) name=\${1#*=} ;;
			-P | --lxcpath) shift ;;
			--version) echo 6.0.4; exit 0 ;;
			-*H* | --no-humanize) plain=yes ;;
			-*) ;;
			*) name=\$1 ;;
			esac
			shift
		done
		[ -e "$home/\$name/config" ] || { echo "\$name doesn't exist" >&2; exit 1; }
		[ -n "\$plain" ] && echo STOPPED || printf 'Name:           %s\nState:          STOPPED\n' "\$name"
	END
	stand_in "$tools" lxc-ls <<-END
		#!/bin/sh
		cd $home && ls -1
	END
	for name in lxc-start lxc-stop lxc-checkpoint lxc-freeze lxc-unfreeze lxc-wait lxc-attach; do
		stand_in "$tools" $name <<-END
			#!/bin/sh
			[ "\$1" = --version ] && { echo 6.0.4; exit 0; }
			echo "$name: \$*" >>$node/acts
			exit 1
		END
	done
	stand_in "$tools" criu <<-END
		#!/bin/sh
		case \$* in
		*--version* | *-V*) echo "Version: 4.2.1" ;;
		*) echo "Looks good." ;;
		esac
	END
}

# without NAME...: PATH loses these programs.
without() {
	local name
	for name; do
		rm -f "$tools/$name"
	done
}

# what_is: everything that a refused migration must leave alone.
what_is() {
	(
		cd "$home" && find . -printf '%p %y %m %T@\n' | sort && find . -type f -exec md5sum {} + | sort
		find /var/lib/vzmigrate /run/vzmigrate -mindepth 1 2>/dev/null | sort
		cat "$node/acts" 2>/dev/null
	) || true
}

# vzmigrate ARGUMENT...: runs it away from any terminal; fills status, elapsed, $node/out and $node/err.
vzmigrate() {
	local begin
	begin=$(milliseconds)
	status=0
	env PATH="$tools" timeout -k 5 30 setsid --wait "$VZMIGRATE" "$@" >"$node/out" 2>"$node/err" </dev/null 3>&- || status=$?
	elapsed=$(($(milliseconds) - begin))
}

report() {
	fail "$1" "status $status after $elapsed ms" "standard output:" "$(cat "$node/out")" "standard error:" \
		"$(cat -v "$node/err")"
}

# refused STATUS PATTERN ARGUMENT...: see above.
refused() {
	local wanted=$1 pattern=$2 before lines
	shift 2
	before=$(what_is)
	vzmigrate "$@"
	lines=()
	mapfile -t lines <"$node/err"
	[ "$status" -eq "$wanted" ] || report "vzmigrate $*: the status is not $wanted" || return
	[ ${#lines[@]} -eq 1 ] || report "vzmigrate $*: not one line on standard error" || return
	[[ ${lines[0]} =~ $PATTERN_SENTENCE ]] || report "vzmigrate $*: this is not a sentence" || return
	[[ ${lines[0]} =~ $pattern ]] || report "vzmigrate $*: the sentence does not match $pattern" || return
	[[ ${lines[0]} != *[[:cntrl:]]* ]] || report "vzmigrate $*: control characters in the sentence" || return
	[ "$elapsed" -lt $TIME_LIMIT_MS ] || report "vzmigrate $*: took $elapsed ms" || return
	[ "$(what_is)" = "$before" ] || report "vzmigrate $*: something changed: $(diff <(echo "$before") <(what_is))" || return
}

free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for_port() {
	local i
	for ((i = 0; i < 100; i++)); do
		(: </dev/tcp/127.0.0.1/"$1") 2>/dev/null && return 0
		sleep 0.05
	done
	fail "nothing listens on port $1"
}

# start_sshd: an ssh server at 127.0.0.1:$port whose sessions have only the directory $remote on PATH.
# (SHLVL keeps bash from reading the .bashrc of who runs the tests). $ssh are the options with which root
# gets in; files beside them are for tests that must not.
start_sshd() {
	local keygen
	keygen=(ssh-keygen -q -t ed25519 -N '' -f)
	server=$BATS_FILE_TMPDIR/sshd
	remote=$server/bin
	port=$(free_port)
	ssh="-F $server/config"
	export server remote port ssh
	mkdir -p "$remote" /run/sshd
	"${keygen[@]}" "$server/host_key"
	"${keygen[@]}" "$server/other_host_key"
	"${keygen[@]}" "$server/key"
	"${keygen[@]}" "$server/refused_key"
	cp "$server/key.pub" "$server/authorized_keys"
	echo "[127.0.0.1]:$port $(cut -d ' ' -f 1,2 "$server/host_key.pub")" >"$server/known_hosts"
	echo "[127.0.0.1]:$port $(cut -d ' ' -f 1,2 "$server/other_host_key.pub")" >"$server/other_known_hosts"
	: >"$server/empty_known_hosts"
	cat >"$server/sshd_config" <<-END
		Port $port
		ListenAddress 127.0.0.1
		HostKey $server/host_key
		PidFile none
		AuthorizedKeysFile $server/authorized_keys
		StrictModes no
		UsePAM no
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PrintMotd no
		LogLevel ERROR
		SetEnv PATH=$remote SHLVL=2
	END
	cat >"$server/config" <<-END
		User root
		IdentityFile $server/key
		IdentitiesOnly yes
		IdentityAgent none
		UserKnownHostsFile $server/known_hosts
		GlobalKnownHostsFile /dev/null
		StrictHostKeyChecking ask
	END
	/usr/sbin/sshd -D -e -f "$server/sshd_config" 2>"$server/log" 3>&- &
	server_pid=$!
	export server_pid
	wait_for_port "$port" || fail "sshd does not start: $(cat "$server/log")"
}

stop_sshd() {
	[ -z "${server_pid-}" ] || kill "$server_pid" 2>/dev/null || true
}

# with_config NAME VALUE...: a copy of ssh's configuration in which these settings come first.
with_config() {
	local file
	file=$(mktemp "$server/config-XXXXXX")
	while [ $# -gt 0 ]; do
		echo "$1 $2"
		shift 2
	done >"$file"
	cat "$server/config" >>"$file"
	echo "-F $file"
}

# peer: the remote vzmigrate is the script on standard input.
peer() {
	stand_in "$remote" vzmigrate
}

# speaker CODE: it is a Python program that can send() objects and raw bytes and receive().
speaker() {
	peer <<-END
		#!/usr/bin/python3
		import json, struct, sys, time
		out, inp = sys.stdout.buffer, sys.stdin.buffer
		def raw(data):
		    out.write(data)
		    out.flush()
		def send(message):
		    body = message if isinstance(message, bytes) else json.dumps(message).encode()
		    raw(struct.pack(">I", len(body)) + body)
		def receive():
		    head = inp.read(4)
		    return json.loads(inp.read(struct.unpack(">I", head)[0])) if len(head) == 4 else None
		def request():
		    while True:
		        message = receive()
		        if message is None or message.get("type") == "request":
		            return message
		def reply(message, answer):
		    send(dict(answer, **({"number": message["number"]} if "number" in message else {})))
		hello = {"type": "hello", "protocol": 1, "version": "0.1.0"}
		$1
	END
}
