# SPDX-License-Identifier: GPL-2.0-or-later
# oci.sh: alone responsible for what runc and crun are told of a container in a host (sourced by scripts/lab).
# shellcheck shell=bash disable=SC2154 # what scripts/lab and ct set

# oci_configure HOST ID FOLDER: config.json as `runc spec` makes it, with what the lab's containers need.
oci_configure() {
	local host=$1 id=$2 folder=$3 root
	root=$(root_of "$host")
	x "$host" runc spec -b "$folder" </dev/null
	ENVIRONMENT=$(environment) NET=$NET PRIV=$PRIV EXTRA=$EXTRA python3 "$fixtures/ociconfig.py" \
		"$root$folder/config.json" "$id" "${PATH_#"$folder"/}"
}

# oci_start HOST ID FOLDER: the network namespace that config.json names, then the container.
oci_start() {
	local host=$1 id=$2 folder=$3
	[ "$NET" = no ] || oci_network "$host" "$id"
	x "$host" sh -c 'exec "$@" </dev/null >/dev/null 2>&1' _ "$RUNTIME" run -d -b "$folder" "$id"
}

oci_network() {
	local host=$1 id=$2
	# shellcheck disable=SC2016	# expanded in the host
	x "$host" sh -ec '
		ip netns add "$1"
		ip link add "v$1" type veth peer name eth0 netns "$1"
		ip link set "v$1" master br0 up
		ip -n "$1" link set lo up
		ip -n "$1" link set eth0 address "$2" up
		ip -n "$1" addr add "$3" dev eth0
		ip -n "$1" addr add "$4" dev eth0 nodad
		ip -n "$1" route add default via "$5"' \
		_ "ct$id" "00:16:3e:00:01:$(printf %02x "$IP")" "$network.$IP/24" "$network6:$IP/64" "$network.254" </dev/null
}

# oci_remove HOST ID: whichever program has it, and whatever is left of it.
oci_remove() {
	local host=$1 id=$2
	# shellcheck disable=SC2016	# expanded in the host
	x "$host" sh -c '
		for program in runc crun; do
			[ ! -e "/run/$program/$1" ] || "$program" delete --force "$1"
			rm -rf "/run/$program/$1"
		done
		find /sys/fs/cgroup/*/"$1" /sys/fs/cgroup/"$1" -depth -type d -exec rmdir {} +
		ip link delete "vct$1"
		ip netns delete "ct$1"
		rm -rf --one-file-system "/var/lib/oci/$1"' _ "$id" </dev/null >/dev/null 2>&1 || true
}
