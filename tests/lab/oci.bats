#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What only containers of runc and crun have: bundles, namespaces with names, mounts from outside.

load helper

RUNTIME=runc

setup() { fresh; }

teardown() {
	stop_clients
	lab link unlimited
	on A rm -rf /srv/outside /srv/elsewhere
	on B rm -rf /srv/outside /srv/elsewhere
}

# refused STATUS SENTENCE ARGUMENT...: and nothing has changed on either host.
refused() {
	local expected=$1 sentence=$2
	shift 2
	remember A B
	migrate "$@"
	assert_status "$expected"
	assert_output_has "$sentence"
	assert_unchanged A B
}

delete() {
	on A "$RUNTIME" kill 101 KILL
	gone() { [ "$(state_of A 101)" = stopped ]; }
	wait_until 10 gone
	on A "$RUNTIME" delete 101
}

@test "one that was deleted is only its bundle, and is moved by the bundle's path" {
	container A 101 mem PRIV=yes MB=8 NASTY=yes
	on A runc kill 101 KILL
	stopped() { [ "$(state_of A 101)" = stopped ]; }
	wait_until 10 stopped
	refused 2 "migrate its bundle by the path '/var/lib/oci/101'" 10.77.0.2 101
	refused 20 "that of container '101' of runc" 10.77.0.2 /var/lib/oci/101
	on A runc delete 101
	refused 10 "is migrated by the path of its bundle" 10.77.0.2 101
	refused 2 "is stopped" --online 10.77.0.2 /var/lib/oci/101
	refused 10 "no container '/var/lib/oci'" 10.77.0.2 /var/lib/oci
	on A ln -sfn /var/lib/oci /srv/detour
	refused 1 "'/var/lib/oci/101'" 10.77.0.2 /srv/detour/101
	on A rm /srv/detour
	tree_of A /var/lib/oci/101 --except . >"$BATS_TEST_TMPDIR/tree"
	migrate 10.77.0.2 /var/lib/oci/101
	assert_status 0
	assert_output_has "the network namespace '/var/run/netns/ct101'"
	assert_same_tree "$BATS_TEST_TMPDIR/tree" B /var/lib/oci/101 --except .
	[ ! -e "$(root_of A)/var/lib/oci/101" ]
	assert_equal "$(running_on 101)" ""
	# The admin's namespace is still there; the same on the other host, and it runs.
	on A ip netns delete ct101
	on B ip netns add ct101
	on B sh -c 'runc run -d -b /var/lib/oci/101 101 </dev/null >/dev/null 2>&1'
	assert_runs_only_on B 101
}

@test "the programs have containers of one id: --runtime settles it" {
	container A 101 mem PRIV=yes MB=8
	RUNTIME=crun
	on A mkdir -p /srv/elsewhere/101
	on A cp -a /var/lib/oci/101/rootfs /srv/elsewhere/101/rootfs
	on A cp /var/lib/oci/101/config.json /srv/elsewhere/101/
	python3 - "$(root_of A)/srv/elsewhere/101/config.json" <<-'END'
		import json, sys
		config = json.load(open(sys.argv[1]))
		config["linux"]["cgroupsPath"] = "/other-101"
		for namespace in config["linux"]["namespaces"]:
		    namespace.pop("path", None)
		json.dump(config, open(sys.argv[1], "w"))
	END
	on A sh -c 'crun run -d -b /srv/elsewhere/101 101 </dev/null >/dev/null 2>&1'
	refused 1 "choose with --runtime" 10.77.0.2 101
	refused 1 "choose with --runtime" --runtime=oci 10.77.0.2 101
	migrate --online --runtime=crun 10.77.0.2 101
	assert_status 0
	assert_equal "$(state_of B 101)" running
	[ -e "$(root_of B)/srv/elsewhere/101/config.json" ]
	RUNTIME=runc
	assert_equal "$(state_of A 101)" running
	on B crun delete --force 101
	rm -rf "$(root_of B)/srv/elsewhere"
}

@test "a directory from outside must be there; files elsewhere, cgroup and annotations stay what they are" {
	on A sh -c 'mkdir -p /srv/outside/data && echo here >/srv/outside/data/which'
	container A 101 mem PRIV=yes MB=8 PATH_=/srv/elsewhere/tree \
		EXTRA='{"annotations": {"org.example.key": "value"},
			"linux": {"cgroupsPath": "/lab/web-101", "rootfsPropagation": "slave"},
			"mounts": [{"destination": "/data", "type": "bind", "source": "/srv/outside/data", "options": ["rbind", "rw"]},
				{"destination": "/scratch", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m"]}]}'
	client_start one 10.77.0.101
	on A runc exec 101 sh -c 'echo kept >/scratch/file' </dev/null
	refused 32 "'/srv/outside/data'" --online 10.77.0.2 101
	on B sh -c 'mkdir -p /srv/outside/data && echo there >/srv/outside/data/which'
	migrate --online 10.77.0.2 101
	assert_status 0
	assert_equal "$(state_of B 101)" running
	assert_equal "$(state_of A 101)" none
	client_stop one
	assert_memory 101
	assert_equal "$(on B runc exec 101 cat /data/which /scratch/file </dev/null | tr '\n' ' ')" "there kept "
	[ -d "$(root_of B)/srv/elsewhere/tree/srv" ]
	[ ! -e "$(root_of A)/srv/elsewhere/tree" ]
	grep -q org.example.key "$(root_of B)/var/lib/oci/101/config.json"
	on B sh -c 'grep -q :/lab/web-101 /proc/$(runc state 101 | sed -n "s/.*\"pid\": \([0-9]*\).*/\1/p")/cgroup'
	on B runc delete --force 101
}

@test "what cannot move is named before anything is touched" {
	container A 101 mem PRIV=yes MB=8
	on A sh -c 'ip netns exec ct101 sleep 100 </dev/null >/dev/null 2>&1 &'
	neighbour() { on A pgrep -x sleep -n; }
	refused 32 "is also that of process" --online 10.77.0.2 101
	refused 32 "is also that of process" 10.77.0.2 101
	on A kill "$(on A sh -c 'pidof sleep | tr " " "\n" | while read -r pid; do [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/self/ns/net)" ] || echo $pid; done' | head -n 1)"
	on A ip -n ct101 link add dummy0 type bridge
	on A ip -n ct101 link set dummy0 addrgenmode none
	on A ip -n ct101 link set dummy0 up
	refused 32 "'dummy0' of the kind 'bridge'" 10.77.0.2 101
	on A ip -n ct101 link delete dummy0
	on B ip netns add ct101
	refused 9 "'/var/run/netns/ct101' of container '101' exists" --online 10.77.0.2 101
	on B ip netns delete ct101
	# The network of the node: with a restart only.
	container A 102 mem PRIV=yes MB=8 NET=no EXTRA='{"hostname": "other"}'
	delete
	on A ip netns delete ct101
	python3 - "$(root_of A)/var/lib/oci/101/config.json" <<-'END'
		import json, sys
		config = json.load(open(sys.argv[1]))
		config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
		config["mounts"] = [m for m in config["mounts"] if m["type"] != "sysfs"]
		json.dump(config, open(sys.argv[1], "w"))
	END
	on A sh -c 'runc run -d -b /var/lib/oci/101 101 </dev/null >/dev/null 2>&1'
	refused 32 "shares the network of its node" --online 10.77.0.2 101
	migrate 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
}

@test "-r no leaves a bundle that nothing starts; nothing of ours is in /etc" {
	container A 101 mem PRIV=yes MB=8
	migrate --online -r no 10.77.0.2 101
	assert_status 0
	assert_runs_only_on B 101
	[ -d "$(root_of A)/var/lib/oci/101.migrated/rootfs" ]
	run on A runc run -d -b /var/lib/oci/101.migrated 101
	[ "$status" -ne 0 ]
	[ ! -e "$(root_of A)/etc/criu" ]
	[ ! -e "$(root_of B)/etc/criu" ]
}

# kill_waiting NAME: SIGKILL to the program of that name on B, once what stands in for criu waits there for the images.
kill_waiting() {
	# shellcheck disable=SC2016	# expanded in the host
	on B sh -c '
		at_gate() { case $(readlink "/proc/$1/exe") in */vzmigrate) ;; *) return 1 ;; esac; }
		until waits=$(pgrep -x criu -n) && at_gate "$waits" && sleep 0.2 && at_gate "$waits"; do :; done
		kill -KILL $(pgrep -x "$1")' _ "$1" 2>/dev/null &
	killer_pid=$!
}

# The link is slow, and so little memory is not sent apart: so the images take more than a second.
@test "7: the program, or what stands in for criu, is killed while it waits for the images: the source runs on" {
	local program
	for RUNTIME in runc crun; do
		for program in "$RUNTIME" criu; do
			fresh
			container A 101 mem PRIV=yes MB=32 DIRTY=1
			client_start one 10.77.0.101 --stream
			remember A B
			kill_waiting "$program"
			lab link 100mbit
			migrate --online 10.77.0.2 101
			lab link unlimited
			wait "$killer_pid"
			put_back 7 "cannot restore container '101'"
		done
	done
}
