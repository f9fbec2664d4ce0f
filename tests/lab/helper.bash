# SPDX-License-Identifier: GPL-2.0-or-later
# helper.bash: the words that lab tests are written in (bats 1.8; `load helper`). Alone responsible for what
# a test knows about the lab: where containers run, what they answer, what is left on a host.
# shellcheck shell=bash
#
# The lab is up already (setup_suite.bash). A file's setup and teardown:
#
#	setup() { fresh; }			no containers, no journals, links up
#	teardown() { stop_clients; }
#
#	@test "..." {
#		container A 101 mem MB=128
#		client_start one 10.77.0.101 --stream
#		migrate --online 10.77.0.2 101		# on A; sets $status and $output as run does
#		assert_status 0
#		assert_runs_only_on B 101
#		client_stop one				# fails unless every byte was right
#		assert_memory 101
#	}

bats_require_minimum_version 1.5.0

helper_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$helper_folder/../.." && pwd)
# shellcheck source-path=SCRIPTDIR
. "$helper_folder/clients.bash"
VZMIGRATE=${VZMIGRATE:-$project/build/vzmigrate}
fixtures=$helper_folder/fixtures
hosts=${VZMIGRATE_LAB_HOSTS:-A B C}

# How many times slower than others this machine is: time limits are as many times longer (tests/vm/inside).
slowness=${VZMIGRATE_LAB_SLOWNESS:-1}

lab() { "$project/scripts/lab" "$@" </dev/null 3>&-; }
# on HOST COMMAND...: what the command prints is what the test sees; stdin is the test's.
on() { "$project/scripts/lab" x "$@" 3>&-; }
root_of() { lab root "$1"; }
address() { lab address "$@"; }

# The runtime of the containers that a test makes; files that run for several set it.
RUNTIME=${RUNTIME-lxc}

container() { lab ct "$@" RUNTIME="$RUNTIME"; }

# folder_of ID: where $RUNTIME has it in a host.
folder_of() {
	case $RUNTIME in
	lxc) echo "/var/lib/lxc/$1" ;;
	*) echo "/var/lib/oci/$1" ;;
	esac
}

# state_of HOST ID: in the words of its own runtime: "RUNNING", "running".
state_of() {
	case $RUNTIME in
	lxc) on "$1" timeout $((10 * slowness)) lxc-info -n "$2" -sH ;;
	*) on "$1" timeout $((10 * slowness)) "$RUNTIME" state "$2" 2>&1 | sed -n 's/.*"status": "\(.*\)".*/\1/p; s/.*does not exist.*/none/p; s/.*No such file.*/none/p' ;;
	esac
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# wait_until SECONDS COMMAND...: until the command succeeds; fails when it does not in time.
wait_until() {
	local end=$(($(date +%s%N) + ${1}000000000 * slowness))
	shift
	until "$@"; do
		[ "$(date +%s%N)" -lt "$end" ] || fail "waited in vain for: $*" || return 1
		sleep 0.05
	done
}

# --- the program -----------------------------------------------------------------------------------------

# migrate ARGUMENT...: vzmigrate on A, at most two minutes (MIGRATE_HOST and MIGRATE_TIMEOUT say otherwise).
# `run` of bats: sets $status, $output (both streams) and $lines.
migrate() {
	run on "${MIGRATE_HOST:-A}" timeout -k 5 $((${MIGRATE_TIMEOUT:-120} * slowness)) vzmigrate "$@" </dev/null
}

# migrate_start ARGUMENT...: the same in the background; migrate_wait takes its end.
migrate_start() {
	on "${MIGRATE_HOST:-A}" timeout -k 5 $((${MIGRATE_TIMEOUT:-120} * slowness)) vzmigrate "$@" </dev/null >"$BATS_TEST_TMPDIR/migrate.out" 2>&1 &
	migrate_pid=$!
}

migrate_wait() {
	status=0
	wait "$migrate_pid" || status=$?
	output=$(cat "$BATS_TEST_TMPDIR/migrate.out")
}

# --- containers ------------------------------------------------------------------------------------------

# cgroups_of HOST ID: the cgroup folders of a container, seen from here (lxc appends "-1" and so on to a taken name;
# runc and crun call them by the id alone; with v2 those of lxc are below the host's own "init").
cgroups_of() {
	local folder
	for folder in /sys/fs/cgroup/{freezer/,}vzlab-"$1"/{,init/}{lxc.payload."$2"{,-[0-9]*},"$2"}; do
		[ ! -d "$folder" ] || echo "$folder"
	done
}

# host_cgroup HOST CONTROLLER: the folder of a host's own cgroup that has the controller's files.
host_cgroup() {
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		echo "/sys/fs/cgroup/vzlab-$1"
	else
		echo "/sys/fs/cgroup/$2/vzlab-$1"
	fi
}

# limit_processes HOST MORE: not more than that beyond those of now; "max": no limit.
limit_processes() {
	local folder limit=$2
	folder=$(host_cgroup "$1" pids)
	[ "$limit" = max ] || limit=$(($(cat "$folder/pids.current") + limit))
	echo "$limit" >"$folder/pids.max"
}

# processes_of HOST ID: the container's processes there, as pids of this machine.
processes_of() {
	local folder
	for folder in $(cgroups_of "$1" "$2"); do
		find "$folder" -name cgroup.procs -exec cat {} +
	done
}

# threads_of HOST ID: how many threads the container's processes have there.
threads_of() {
	local process count=0
	for process in $(processes_of "$1" "$2"); do
		count=$((count + $(ls "/proc/$process/task" 2>/dev/null | wc -l)))
	done
	echo $count
}

# running_on ID: the hosts where the container has processes, frozen and held ones too: "A", "A B" or "".
running_on() {
	local host found=""
	for host in $hosts; do
		[ -z "$(processes_of "$host" "$1")" ] || found+=" $host"
	done
	echo "${found# }"
}

# alive_on ID: the hosts where a mem container really runs: its counter moves.
alive_on() {
	local host found="" now
	local -A earlier=()
	for host in $hosts; do earlier[$host]=$(counter "$host" "$1"); done
	sleep 0.4
	for host in $hosts; do
		now=$(counter "$host" "$1")
		[ -z "$now" ] || [ "$now" = "${earlier[$host]}" ] || [ -z "$(processes_of "$host" "$1")" ] || found+=" $host"
	done
	echo "${found# }"
}

counter() { cat "$(root_of "$1")$(folder_of "$2")/rootfs/tmp/cnt" 2>/dev/null || true; }

# thaw_all: let every container of every host run again, so that it can be stopped.
thaw_all() {
	local host
	for host in $hosts; do
		find /sys/fs/cgroup/freezer/vzlab-"$host" -mindepth 1 -depth -name freezer.state -exec sh -c 'echo THAWED >"$1"' _ {} \; 2>/dev/null || true
		find /sys/fs/cgroup/vzlab-"$host" -mindepth 2 -depth -name cgroup.freeze -exec sh -c 'echo 0 >"$1"' _ {} \; 2>/dev/null || true
	done
}

# end_processes HOST NAME...: end, by pid, the host's own processes of these names.
end_processes() {
	local host=$1
	shift
	# shellcheck disable=SC2016	# expanded in the host
	on "$host" sh -c 'pids=$(pidof "$@") && kill -KILL $pids' _ "$@" 2>/dev/null </dev/null || true
}

no_pairs() { ! on "$1" ip -o link | grep -qE ' (veth|vzm)'; }

# fresh: put all hosts back to nothing: no client, no vzmigrate, no container, no journal, every link up.
fresh() {
	local host root folder id
	stop_clients
	for host in $hosts; do
		lab mend "$host"
		end_processes "$host" vzmigrate rsync criu lxc-checkpoint runc crun
	done
	thaw_all
	for host in $hosts; do
		root=$(root_of "$host")
		for folder in "$root"/var/lib/lxc/*/; do
			id=$(basename "$folder")
			if [ -e "$folder/config" ]; then
				lab ct-remove "$host" "$id"
			elif [ "$id" != '*' ]; then
				rm -rf --one-file-system "$folder"
			fi
		done
		for folder in "$root"/var/lib/oci/*/ "$root"/run/{runc,crun}/*/; do
			[ ! -d "$folder" ] || lab ct-remove "$host" "$(basename "$folder")"
		done
		[ -z "$(ls "$root/run/netns" 2>/dev/null)" ] || on "$host" ip -all netns delete </dev/null
		for folder in /sys/fs/cgroup/{freezer/,}vzlab-"$host"/{,init/}lxc.payload.*; do
			[ ! -d "$folder" ] || xargs -r kill -KILL <"$folder/cgroup.procs" || true
		done
		# lxc-stop leaves the cgroups of a container that was restored.
		find /sys/fs/cgroup/{*/,}vzlab-"$host" -mindepth 1 -depth -type d \( -path '*/lxc.*' -o -path '*/vzlab-?/[0-9]*' \) -exec rmdir {} + 2>/dev/null || true
		# The kernel takes its time to remove a network namespace; until then it answers for its addresses.
		wait_until 10 no_pairs "$host"
		# shellcheck disable=SC2016	# expanded in the host
		on "$host" sh -c 'for mounted in /run/vzmigrate/*/images /run/vzmigrate/*/memory; do umount -l "$mounted"; done' 2>/dev/null || true
		rm -rf --one-file-system "$root"/var/lib/vzmigrate "$root"/run/vzmigrate* "$root"/vz/* "$root"/var/lib/lxc/.[!.]* \
			"$root"/var/lib/oci
	done
}

# --- what a host looks like ------------------------------------------------------------------------------

# journal_says HOST STATE: the journal of container 101 there has come to that state.
journal_says() { grep -q "\"$2\"" "$(root_of "$1")/var/lib/vzmigrate/101.journal" 2>/dev/null; }

# tree_of HOST PATH [--except PATTERN...]: one line per object, for tree_compare.
tree_of() {
	local host=$1 path=$2
	shift 2
	python3 "$fixtures/treesum" "$(root_of "$host")$path" "$@"
}

# assert_same_tree FILE HOST PATH [...]: FILE is what tree_of said before. Holes stay holes; zeros may
# become holes.
assert_same_tree() {
	local before=$1
	shift
	tree_of "$@" | awk -F '\t' 'NR == FNR { sparse[$1] = /\tsparse\t/; next }
		!sparse[$1] { sub(/\tsparse/, "") } { print }' "$before" - >"$BATS_TEST_TMPDIR/tree.now"
	diff "$before" "$BATS_TEST_TMPDIR/tree.now" >"$BATS_TEST_TMPDIR/tree.diff" ||
		fail "the trees differ:" "$(cut -c 1-300 "$BATS_TEST_TMPDIR/tree.diff" | head -n 20)"
}

# snapshot HOST: everything by which a migration could leave a trace on a host, one item a line.
snapshot() {
	on "$1" sh -s <<-'END'
		echo "# files"
		find /var/lib/lxc -mindepth 1 -maxdepth 2 | sort
		find /var/lib/oci -mindepth 1 -maxdepth 2 2>/dev/null | sort
		find /run/runc /run/crun /run/netns -mindepth 1 2>/dev/null | sort
		find /var/lib/vzmigrate /run /tmp /dev/shm /vz /var/lib/lxc/.[!.]* -mindepth 1 2>/dev/null |
			grep -vE '^/run/(lxc|sshd|sudo|lock|mount|host-ready|crun|runc|netns|xtables.lock|criu\.kdat|utmp|nsenter|systemd|motd)|^/run/[^/]*\.pid$' | sort
		echo "# configurations"
		cat /var/lib/lxc/*/config /var/lib/oci/*/config.json 2>/dev/null
		echo "# cgroups"
		find /sys/fs/cgroup -mindepth 1 -type d -name 'lxc*' | grep -v pivot | sort
		find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d -name '[0-9]*' | sort
		echo "# links"
		ip -o link | sed 's/^[0-9]*: //; s/[@:].*//' | sed 's/^veth[A-Za-z0-9]\{6\}$/veth/' | sort
		echo "# packet filter"
		nft list ruleset; iptables-save | grep -v '^#\|^:'; ip6tables-save | grep -v '^#\|^:'
		echo "# processes"
		ps -eo comm= | grep -E 'vzmigrate|rsync|criu|lxc|runc|crun|^ssh$' | sort
		echo "# mounts"
		for space in $(ls /run/netns 2>/dev/null); do ip -n "$space" -o address; ip -n "$space" route; done | sed 's/^[0-9]*: //; s/ tentative//'
		# ip(8) mounts /run/netns on itself once, whoever makes the node's first namespace.
		sed 's/^\S* \(\S*\) \(\S*\) .*/\1 \2/; /^\/run\/netns /d' /proc/mounts | sort
		echo "# settings"
		cat /proc/sys/vm/unprivileged_userfaultfd
		cat /root/.ssh/authorized_keys /root/.ssh/known_hosts
		find /etc/lxc /etc/criu -type f 2>/dev/null | sort
	END
}

# remember HOST...: snapshots to compare with; assert_unchanged HOST...: no trace of anything since then.
remember() {
	local host
	for host; do snapshot "$host" >"$BATS_TEST_TMPDIR/snapshot-$host"; done
}

assert_unchanged() {
	local host
	for host; do
		snapshot "$host" >"$BATS_TEST_TMPDIR/snapshot.now"
		diff "$BATS_TEST_TMPDIR/snapshot-$host" "$BATS_TEST_TMPDIR/snapshot.now" >"$BATS_TEST_TMPDIR/snapshot.diff" ||
			fail "host $host is not as it was:" "$(cat "$BATS_TEST_TMPDIR/snapshot.diff")" || return 1
	done
}

# --- assertions ------------------------------------------------------------------------------------------

assert_equal() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'"; }

assert_status() { [ "$status" = "$1" ] || fail "expected exit status $1, got $status; output:" "$output"; }

# assert_output_has TEXT: as it is, no pattern; refute_output_has: the contrary.
assert_output_has() { [[ $output == *"$1"* ]] || fail "expected '$1' in:" "$output"; }

refute_output_has() { [[ $output != *"$1"* ]] || fail "unexpected '$1' in:" "$output"; }

# events CODE: a Python expression over `events`, the objects that -b has put in $output; it must be true. of(EVENT)
# picks one kind, stopped(CONTAINER) says from when until when it stood still.
events() {
	python3 -c '
import json, sys
events = [json.loads(line) for line in sys.stdin if line.strip()]
of = lambda event, container=None: [e for e in events if e["event"] == event and container in (None, e["container"])]
def stopped(container):
    at = {e["stage"]: e["time_ms"] for e in of("stage", container)}
    return next(at[s] for s in ("freeze", "stop") if s in at), next(at[s] for s in ("resume", "start", "hand-over") if s in at)
assert eval("(" + sys.argv[1] + ")"), events' "$1" <<<"$output" || fail "not so: $1"
}

# assert_runs_only_on HOST ID: processes there and nowhere else, and its runtime agrees.
assert_runs_only_on() {
	assert_equal "$(running_on "$2")" "$1" || fail "$(where_is "$2")" || return 1
	state=$(state_of "$1" "$2")
	assert_equal "${state,,}" running
}

# where_is ID: all that tells where a container is, for the message of a failed test.
where_is() {
	local host
	for host in $hosts; do
		echo "$host: $(state_of "$host" "$1" 2>&1)"
		cgroups_of "$host" "$1"
		tail -n 3 "$(root_of "$host")"/var/lib/vzmigrate/"$1".journal 2>/dev/null
		on "$host" ps -eo pid,stat,args | grep -vE 'ps -eo|sshd|sleep 86400|host-init' | head -n 20
	done
}

# line_of ID PORT [ORDER]: the line that the container says on a TCP port of its own, told the order there perhaps.
line_of() {
	timeout $((60 * slowness)) python3 -c "import socket; s = socket.create_connection(('10.77.0.$1', $2), 30 * $slowness); s.sendall(b'${3-}'); print(s.makefile().readline().strip())"
}

# assert_memory ID: a mem or memory container's memory is what its program wrote, every page, as of now. What it
# says is in $memory_line.
assert_memory() {
	memory_line=$(line_of "$1" 7001) || fail "container $1 does not answer about its memory" || return 1
	[[ $memory_line == ok* ]] || fail "memory of container $1: $memory_line"
}

# churn ID ORDER: the answer of churn.py, which changes the tree of a container with CHURN=yes.
churn() { line_of "$1" 7002 "$2"; }

# assert_moved_tree ID FROM TO: a container was moved with -r no while churn.py changed its tree. Its files are what
# the program knows that they are, and the two trees differ only where it was at work in that moment, and by criu's
# own names. The old one is removed then, and the program goes on.
assert_moved_tree() {
	local id=$1 from=$2 to=$3 answer
	answer=$(churn "$id" check)
	[[ $answer == moved:* ]] || fail "churn.py: $answer" || return 1
	tree_of "$from" /var/lib/lxc/"$id".migrated/rootfs/srv/churn >"$BATS_TEST_TMPDIR/tree.from"
	tree_of "$to" /var/lib/lxc/"$id"/rootfs/srv/churn >"$BATS_TEST_TMPDIR/tree.to"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/tree.from")" -gt 300 ]
	diff "$BATS_TEST_TMPDIR/tree.from" "$BATS_TEST_TMPDIR/tree.to" | sed -n 's/^[<>] \([^\t]*\)\t.*/\1/p' |
		grep -v 'link_remap\.[0-9]*$' | sort -u >"$BATS_TEST_TMPDIR/differ"
	tr ' ' '\n' <<<"${answer#moved:}" | sort -u >"$BATS_TEST_TMPDIR/touched"
	comm -23 "$BATS_TEST_TMPDIR/differ" "$BATS_TEST_TMPDIR/touched" >"$BATS_TEST_TMPDIR/lost"
	[ ! -s "$BATS_TEST_TMPDIR/lost" ] ||
		fail "differs, but nobody touched it:" "$(head -n 20 "$BATS_TEST_TMPDIR/lost")" \
			"$(diff "$BATS_TEST_TMPDIR/tree.from" "$BATS_TEST_TMPDIR/tree.to" | cut -c 1-200 | head -n 20)" ||
		return 1
	rm -rf --one-file-system "$(root_of "$from")/var/lib/lxc/$id.migrated"
	assert_equal "$(churn "$id" go)" "gone on"
}

# put_back STATUS SENTENCE: the last migration of 101 failed so; the source runs on, its client "one" noticed
# nothing but a pause, and nothing is left since remember A B.
put_back() {
	assert_status "$1"
	assert_output_has "$2"
	assert_runs_only_on A 101
	sleep 0.3
	client_stop one
	assert_memory 101
	assert_unchanged A B
}
